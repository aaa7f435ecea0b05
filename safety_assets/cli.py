"""`safety-assets`: the assets from a terminal, without Dagster. Exit codes: 0 done, 1 refused or rejected, 2 usage."""

import functools
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from safety_assets.errors import GateRefused, SafetyAssetsError
from safety_assets.flows.assets import materialize as make_asset
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.inputs import name_of
from safety_assets.flows.release import released_folder
from safety_assets.flows.workspace import Made, Workspace
from safety_assets.project import open_project
from safety_assets.records import Verdict
from safety_assets.release import promotion
from safety_assets.store import WHOLE, Artefact, Store
from safety_assets.worker import launch_here

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Fine-tune without losing the alignment.")
console, complaints = Console(), Console(stderr=True)

P = ParamSpec("P")
R = TypeVar("R")


def in_words(command: Callable[P, R]) -> Callable[P, R]:
    """Decorator: an error on purpose is printed as found, expected, do, and ends with exit code 1."""

    @functools.wraps(command)
    def careful(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SafetyAssetsError as error:
            _complain(error)

    return careful


@app.command()
@in_words
def materialize(
    asset: Annotated[str, typer.Argument(help="Name of the asset.")],
    recipe: Annotated[str | None, typer.Option(help="Name of the recipe, for the assets that have one.")] = None,
    force: Annotated[bool, typer.Option(help="Do the work again although it was done before.")] = False,
) -> None:
    """Make one asset from what is upstream of it. A red required check ends with exit code 1."""
    if asset not in GRAPH:
        raise typer.BadParameter(f"no asset {asset}; there are {', '.join(GRAPH)}")
    if GRAPH[asset].partitioned != (recipe is not None):
        raise typer.BadParameter(f"{asset} takes {'a' if GRAPH[asset].partitioned else 'no'} --recipe")
    made = make_asset(_workspace(force=force), asset, recipe)
    _show(made)
    blocking = {check.name for check in CHECKS.get(asset, ()) if check.blocking}
    if any(not verdict.passed for verdict in made.verdicts if verdict.check in blocking):
        raise typer.Exit(1)


@app.command()
@in_words
def status() -> None:
    """What is current, which checks pass on it, and what is released."""
    ws = _workspace()
    table = Table("asset", "recipe", "digest", "made", "checks")
    for asset in GRAPH:
        for partition in ws.store.partitions(asset):
            found = ws.store.current(asset, partition)
            recipe = "" if partition == WHOLE else partition
            table.add_row(asset, recipe, found.digest[:12], found.manifest.made_at, _checks(ws, found))
    console.print(table)
    console.print(f"Released: {_released_line(ws)}")


@app.command()
@in_words
def released(
    path: Annotated[bool, typer.Option("--path", help="Print the folder of the released weights only.")] = False,
) -> None:
    """What is released now. Exit code 1 when nothing is."""
    ws = _workspace()
    folder = released_folder(ws)
    if folder is None:
        raise GateRefused("released", ["Nothing is released. Materialize released_model of an approved recipe."])
    print(folder if path else _released_line(ws))


@app.command()
@in_words
def roll_back() -> None:
    """Move the pointer back to the release before the current one."""
    ws = _workspace()
    promotion.roll_back(ws.store.root, ws.project.settings.name)
    console.print(f"Released: {_released_line(ws)}")


@app.command()
def demo() -> None:
    """Run the whole bundled project through Dagster; needs DAGSTER_HOME (`make demo` sets it)."""
    raise typer.Exit(subprocess.run([sys.executable, "-m", "safety_assets.demo"], check=False).returncode)


def _workspace(*, force: bool = False) -> Workspace:
    project = open_project()
    launch = functools.partial(launch_here, report=_report)
    return Workspace(project=project, store=Store(project.storage), launch=launch, force=force)


def _report(message: Mapping[str, object]) -> None:
    """A line per watch, share or end, and one in fifty steps."""
    step = message.get("step")
    if message.get("event") != "step" or (isinstance(step, int) and step % 50 == 0):
        complaints.print(", ".join(f"{key} {value}" for key, value in message.items()), style="dim", markup=False)


def _show(made: Made) -> None:
    artefact = made.artefact
    how = "reused" if made.cached else "made"
    console.print(f"{name_of(artefact.asset, artefact.partition)} {how}: {artefact.path}", soft_wrap=True, markup=False)
    for verdict in made.verdicts:
        colour = "green" if verdict.passed else "red"
        said = escape(" ".join(verdict.reasons))
        console.print(f"  [{colour}]{verdict.status}[/{colour}] {verdict.check} {said}", soft_wrap=True)


def _checks(ws: Workspace, artefact: Artefact) -> str:
    verdicts: list[Verdict] = [verdict_of(ws, artefact, check) for check in CHECKS.get(artefact.asset, ())]
    red = [verdict.check for verdict in verdicts if not verdict.passed]
    return f"red: {', '.join(red)}" if red else f"{len(verdicts)} pass" if verdicts else ""


def _released_line(ws: Workspace) -> str:
    now = promotion.released(ws.store.root, ws.project.settings.name)
    if now is None:
        return "nothing"
    release = now["release"]
    return f"{release['recipe']}, weights {release['weights'][:12]}, since {now['at']}, in {release['folder']}"


def _complain(error: SafetyAssetsError) -> NoReturn:
    if isinstance(error, GateRefused):
        complaints.print(f"[red]{error.step} was refused[/red]")
        for number, reason in enumerate(error.reasons, 1):
            complaints.print(f"  {number}. {escape(reason)}", soft_wrap=True)
    else:
        complaints.print(f"[red]found[/red]     {escape(error.found)}", soft_wrap=True)
    for label, text in (("expected", error.expected), ("do", error.do)):
        if text:
            complaints.print(f"[red]{label:9s}[/red] {escape(text)}", soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
