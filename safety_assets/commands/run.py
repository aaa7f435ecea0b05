"""`run`: everything from the corpus to the decision on one recipe, at a terminal, without Dagster."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from safety_assets.commands.completion import Recipe
from safety_assets.commands.documents import made_document
from safety_assets.commands.progress import progress
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace

if TYPE_CHECKING:
    from safety_assets.flows.workspace import Made, Workspace
    from safety_assets.records import Verdict
    from safety_assets.release.decision import Decision

DECISION = "release_decision"
EXIT_CODES = {"approved": 0, "rejected": 1, "not_certified": 3}
COLOURS = {"approved": "green", "rejected": "red", "not_certified": "yellow"}


@app.command()
@in_words
def run(
    recipe: Recipe,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="50 rows, 20 steps, a few probes: do the parts work together? Exit code 0.")
    ] = False,
    release: Annotated[bool, typer.Option("--release", help="If it is approved, move what serving reads.")] = False,
    as_json: JSON = False,
) -> None:
    """Make every asset up to the decision on a recipe.

    What was made before from the same inputs is reused. It stops at the first red required check and says which.
    """
    if smoke and release:
        raise typer.BadParameter("a smoke run releases nothing; leave --release or --smoke out")
    from safety_assets.flows.checks import red_blocking
    from safety_assets.flows.release import decision_of

    told: list[dict] = []
    decision: Decision | None = None
    red: tuple[Verdict, ...] = ()
    with progress(quiet=as_json) as report:
        ws = workspace(smoke=smoke, report=report)
        ws.project.recipe(recipe)
        for asset, made, seconds in _made(ws, recipe, release=release):
            told.append(made_document(made, seconds))
            red = red_blocking(made)
            if not as_json:
                _show(asset, made, seconds, red)
            if asset == DECISION:
                decision = decision_of(made.artefact)
    if as_json:
        print_json(_whole(recipe, smoke, told, decision, red))
    elif decision is not None:
        _conclude(decision)
    raise typer.Exit(_exit_code(decision, smoke=smoke))


def _made(ws: "Workspace", recipe: str, *, release: bool) -> Iterator[tuple[str, "Made", float]]:
    """Each asset with its name and its seconds, up to the decision or the first red required check."""
    from safety_assets.flows.assets import materialize
    from safety_assets.flows.checks import red_blocking
    from safety_assets.flows.standing import way_to

    for asset in [*way_to(ws, DECISION), *(("model_card", "released_model") if release else ())]:
        started = time.perf_counter()
        made = materialize(ws, asset, recipe)
        yield asset, made, time.perf_counter() - started
        if red_blocking(made):
            return


def _exit_code(decision: "Decision | None", *, smoke: bool) -> int:
    if decision is None:
        return 1
    return 0 if smoke else EXIT_CODES[decision.status]


def _whole(recipe: str, smoke: bool, told: list[dict], decision: "Decision | None", red: tuple["Verdict", ...]) -> dict:
    concluded = None if decision is None else {"status": decision.status, "reasons": list(decision.reasons)}
    stopped = None if decision is not None else {"asset": told[-1]["asset"], "checks": [v.check for v in red]}
    return {"recipe": recipe, "smoke": smoke, "assets": told, "decision": concluded, "stopped": stopped}


def _show(asset: str, made: "Made", seconds: float, red: tuple["Verdict", ...]) -> None:
    from safety_assets.flows.inputs import name_of

    name = name_of(asset, made.artefact.partition)
    how = "reused" if made.cached else f"{seconds:.1f} s"
    console.print(f"[{'red' if red else 'green'}]{'red ' if red else 'done'}[/] {escape(name)}  {how}", soft_wrap=True)
    for verdict in red if asset != DECISION else ():
        console.print(f"     {verdict.check}", soft_wrap=True)
        for reason in verdict.reasons:
            console.print(f"       - {escape(reason)}", soft_wrap=True)


def _conclude(decision: "Decision") -> None:
    console.print(f"[{COLOURS[decision.status]}]{decision.status.replace('_', ' ')}[/]")
    for number, reason in enumerate(decision.reasons, 1):
        console.print(f"  {number}. {escape(reason)}", soft_wrap=True)
