"""`run`: everything from the corpus to the decision on one recipe, at a terminal, without Dagster."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
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
RELEASE = (("model_card", ""), ("released_model", ""))
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
    """Make every asset up to the decision on a recipe. Where it is rejected its repairs are tried, one by one.

    What was made before from the same inputs is reused. It stops at the first red required check and says which, and
    at the first candidate that is approved.
    """
    if smoke and release:
        raise typer.BadParameter("a smoke run releases nothing; leave --release or --smoke out")
    with progress(quiet=as_json) as report:
        ws = workspace(smoke=smoke, report=report)
        found = _tried(ws, recipe, as_json=as_json)
        if release and found[-1].status == "approved":
            found[-1].made += _make(ws, RELEASE, found[-1].recipe, as_json=as_json).made
    if as_json:
        print_json(_whole(recipe, smoke, found))
    elif concluding(found).decision is not None:
        _conclude(found)
    raise typer.Exit(_exit_code(concluding(found).decision, smoke=smoke))


@dataclass(kw_only=True)
class Tried:
    """One candidate: what was made of it, up to the decision or the first red required check."""

    recipe: str
    made: list[dict] = field(default_factory=list)
    decision: "Decision | None" = None
    red: "tuple[Verdict, ...]" = ()

    @property
    def status(self) -> str | None:
        return self.decision.status if self.decision else None


def _tried(ws: "Workspace", recipe: str, *, as_json: bool) -> list[Tried]:
    """The recipe; and where it is rejected its repaired candidates one by one, until one is approved."""
    from safety_assets.flows.standing import steps_to

    names = [recipe, *ws.project.recipe(recipe).candidates()]
    found: list[Tried] = []
    for name in names:
        found.append(_make(ws, steps_to(ws, DECISION, name), name, as_json=as_json))
        if found[-1].status == "approved" or found[0].status != "rejected":
            break
    return found


def concluding(found: list[Tried]) -> Tried:
    """The candidate that the outcome is of: the approved one, else the recipe itself."""
    return found[-1] if found[-1].status == "approved" else found[0]


def _make(ws: "Workspace", steps: Sequence[tuple[str, str]], recipe: str, *, as_json: bool) -> Tried:
    """Make one asset after the other, up to the last or the first red required check."""
    from safety_assets.flows.assets import materialize
    from safety_assets.flows.checks import red_blocking
    from safety_assets.flows.release import decision_of

    tried = Tried(recipe=recipe)
    for asset, partition in steps:
        started = time.perf_counter()
        made = materialize(ws, asset, partition or recipe)
        seconds = time.perf_counter() - started
        tried.made.append(made_document(made, seconds))
        tried.red = red_blocking(made)
        if not as_json:
            _show(asset, made, seconds, tried.red)
        if asset == DECISION:
            tried.decision = decision_of(made.artefact)
        if tried.red:
            break
    return tried


def _exit_code(decision: "Decision | None", *, smoke: bool) -> int:
    if decision is None:
        return 1
    return 0 if smoke else EXIT_CODES[decision.status]


def _whole(recipe: str, smoke: bool, found: list[Tried]) -> dict:
    end = concluding(found)
    decided = None if end.decision is None else {"status": end.status, "reasons": list(end.decision.reasons)}
    stopped = {"asset": end.made[-1]["asset"], "checks": [v.check for v in end.red]}
    return {
        "recipe": recipe, "smoke": smoke, "assets": [made for one in found for made in one.made],
        "decision": decided, "stopped": None if end.decision is not None else stopped,
        "candidates": [{"recipe": one.recipe, "status": one.status} for one in found], "concluded": end.recipe,
    }  # fmt: skip


def _show(asset: str, made: "Made", seconds: float, red: tuple["Verdict", ...]) -> None:
    from safety_assets.flows.inputs import name_of

    name = name_of(asset, made.artefact.partition)
    how = "reused" if made.cached else f"{seconds:.1f} s"
    console.print(f"[{'red' if red else 'green'}]{'red ' if red else 'done'}[/] {escape(name)}  {how}", soft_wrap=True)
    for verdict in red if asset != DECISION else ():
        console.print(f"     {verdict.check}", soft_wrap=True)
        for reason in verdict.reasons:
            console.print(f"       - {escape(reason)}", soft_wrap=True)


def _conclude(found: list[Tried]) -> None:
    for one in found[1:]:
        console.print(f"tried {one.recipe}: {(one.status or 'stopped').replace('_', ' ')}", soft_wrap=True)
    end = concluding(found)
    assert end.decision is not None
    status = end.decision.status
    said = f" {end.recipe}" if len(found) > 1 else ""
    console.print(f"[{COLOURS[status]}]{status.replace('_', ' ')}[/]{escape(said)}")
    for number, reason in enumerate(end.decision.reasons, 1):
        console.print(f"  {number}. {escape(reason)}", soft_wrap=True)
