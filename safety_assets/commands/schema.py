"""`schema`: the JSON schema of a file that users write, for editors and other programs."""

from typing import Annotated, Literal

import typer

from safety_assets.commands.terminal import JSON, app, in_words

Kind = Literal["project", "policy", "recipe"]


@app.command()
@in_words
def schema(kind: Annotated[Kind, typer.Argument(help="Which file.")], as_json: JSON = False) -> None:
    """Print the JSON schema of project.yaml, policy.yaml or a recipe. It is JSON with and without --json."""
    from safety_assets.schemas import schema_text

    print(schema_text(kind), end="")
