"""`released`, `roll-back`: what serving should load."""

from typing import Annotated

import typer

from safety_assets.commands.documents import release_document
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.errors import StoreError
from safety_assets.flows.release import released_folder, released_record
from safety_assets.flows.release import roll_back as move_back
from safety_assets.flows.workspace import Workspace


@app.command()
@in_words
def released(
    path: Annotated[bool, typer.Option("--path", help="Print the folder of the released weights only.")] = False,
    as_json: JSON = False,
) -> None:
    """What is released now, its weights identified again."""
    ws = workspace()
    folder = released_folder(ws)
    if folder is None:
        raise StoreError("nothing is released", do="release an approved recipe: safety-assets run RECIPE --release")
    if as_json:
        _print_release(ws)
    else:
        print(folder if path else released_line(ws))


@app.command()
@in_words
def roll_back(as_json: JSON = False) -> None:
    """Move the pointer back to the release before the current one, and again before that one when called twice."""
    ws = workspace()
    move_back(ws)
    if as_json:
        _print_release(ws)
    else:
        console.print(f"Released: {released_line(ws)}", soft_wrap=True, markup=False)


def _print_release(ws: Workspace) -> None:
    record = released_record(ws)
    assert record is not None
    print_json(release_document(ws, record))


def released_line(ws: Workspace) -> str:
    """One line: recipe, weights, since when, where."""
    now = released_record(ws)
    if now is None:
        return "nothing"
    release = now["release"]
    return f"{release['recipe']}, weights {release['weights'][:12]}, since {now['at']}, in {release['folder']}"
