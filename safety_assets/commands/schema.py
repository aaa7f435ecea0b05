"""`schema`: the JSON schema of a file that users write, for editors and other programs."""

from enum import StrEnum
from typing import Annotated

import typer

from safety_assets.commands.terminal import app
from safety_assets.schemas import KINDS, schema_text

Kind = StrEnum("Kind", list(KINDS))


@app.command()
def schema(kind: Annotated[Kind, typer.Argument(help="Which file.")]) -> None:
    """Print the JSON schema of project.yaml, policy.yaml or a recipe."""
    print(schema_text(kind.value), end="")
