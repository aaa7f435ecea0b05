"""`verify`: is a folder of weights the one that was approved?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.flows.verifying import Verified, verify, verify_against

EXIT_CODES = {"released": 0, "other": 1, "released_before": 3}
COLOURS = {"released": "green", "other": "red", "released_before": "yellow"}


@app.command(name="verify")
@in_words
def verify_command(
    path: Annotated[Path, typer.Argument(help="Folder of weights.")],
    release: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="File of the release; then no project is needed."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Read every file of a folder and say whether it is the release: one changed bit, one file more or less is not.

    Without --release it is compared with everything that the project released.
    """
    found = verify_against(path, release) if release else verify(workspace(), path)
    if as_json:
        print_json(_document(path, found))
    else:
        said = found.outcome.replace("_", " ")
        console.print(f"[{COLOURS[found.outcome]}]{said}[/]: {escape('; '.join(found.why))}", soft_wrap=True)
        if found.release is not None:
            near = "" if found.outcome != "other" else "nearest: "
            told = f"{near}{found.release['recipe']}, weights {found.release['weights'][:12]}"
            console.print(told, soft_wrap=True, markup=False)
    raise typer.Exit(EXIT_CODES[found.outcome])


def _document(path: Path, found: Verified) -> dict:
    release = found.release or {}
    return {
        "path": str(path), "outcome": found.outcome, "why": list(found.why), "recipe": release.get("recipe"),
        "weights": release.get("weights"), "sequence": found.sequence, "changed": list(found.differs.changed),
        "missing": list(found.differs.missing), "added": list(found.differs.added),
    }  # fmt: skip
