"""`schema`: the JSON schema of a file that users write, for editors and other programs."""

from typing import Annotated, Literal

import typer

from safety_assets.commands.terminal import app
from safety_assets.schemas import schema_text

Kind = Literal["project", "policy", "recipe"]


@app.command()
def schema(kind: Annotated[Kind, typer.Argument(help="Which file.")]) -> None:
    """Print the JSON schema of project.yaml, policy.yaml or a recipe."""
    print(schema_text(kind), end="")
