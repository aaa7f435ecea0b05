"""`released`, `promote`, `rollback`, `history`: what serving should load, and how it moves."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.completion import Recipe
from safety_assets.commands.documents import history_document, release_document
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json, workspace
from safety_assets.flows import release as flows
from safety_assets.flows.release import demand_released, released_record
from safety_assets.flows.workspace import Workspace
from safety_assets.release import promotion

Why = Annotated[str, typer.Option(help="Why, in a sentence; it stands in the history.")]


@app.command()
@in_words
def released(
    path: Annotated[bool, typer.Option("--path", help="Print the folder of the released weights only.")] = False,
    as_json: JSON = False,
) -> None:
    """What is released now, its weights identified again."""
    ws = workspace()
    folder, _ = demand_released(ws)
    if as_json:
        _print_release(ws)
    else:
        print(folder if path else released_line(ws))


@app.command()
@in_words
def promote(
    recipe: Recipe,
    decision: Annotated[
        str, typer.Option(metavar="DIGEST", help="The decision that is meant, by 8 or more digits of its digest.")
    ] = "",
    as_json: JSON = False,
) -> None:
    """Move what serving reads to the approved weights of a recipe. Refused unless every check upstream passes now."""
    ws = workspace()
    flows.promote(ws, recipe, decision)
    _say(ws, as_json=as_json)


@app.command()
@in_words
def rollback(
    to: Annotated[
        int | None, typer.Option(metavar="SEQUENCE", help="A move of `history`; the release before, if absent.")
    ] = None,
    why: Why = "",
    as_json: JSON = False,
) -> None:
    """Move what serving reads back to a release that was served before. It asks no policy, and is recorded.

    What the gate of the day has against that release is said, and stands in the history.
    """
    ws = workspace()
    record = flows.roll_back(ws, to, why)
    if not as_json:
        for reason in record["objections"]:
            complaints.print(f"today's gate would refuse: {reason}", soft_wrap=True, markup=False)
    _say(ws, as_json=as_json)


@app.command()
@in_words
def history(as_json: JSON = False) -> None:
    """Every move of what serving reads, oldest first."""
    ws = workspace()
    name = ws.project.settings.name
    now, past = promotion.released(ws.store.root, name), promotion.history(ws.store.root, name)
    if as_json:
        print_json(history_document(name, now, past))
        return
    table = Table("move", "", "at", "recipe", "weights", "why")
    for record in past:
        release, mark = record["release"], "served " if record == now else ""
        told = " ".join([record["why"], *(f"Against the gate: {said}" for said in record["objections"])]).strip()
        table.add_row(
            f"{mark}{record['sequence']}", record["action"], record["at"], release["recipe"],
            release["weights"][:12], escape(told),
        )  # fmt: skip
    console.print(table if past else "Nothing was released yet.")


def _say(ws: Workspace, *, as_json: bool) -> None:
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
