"""`materialize`: one asset from a terminal, without Dagster; `demo`: the bundled project, with it."""

import subprocess
import sys
from typing import Annotated

import typer
from rich.markup import escape

from safety_assets.commands.terminal import app, console, in_words, workspace
from safety_assets.flows.assets import materialize as make_asset
from safety_assets.flows.checks import red_blocking
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.inputs import name_of
from safety_assets.flows.workspace import Made


@app.command()
@in_words
def materialize(
    asset: Annotated[str, typer.Argument(help="Name of the asset.")],
    recipe: Annotated[str | None, typer.Option(help="Name of the recipe, for the assets that have one.")] = None,
    force: Annotated[bool, typer.Option(help="Do the work again although it was done before.")] = False,
    smoke: Annotated[bool, typer.Option("--smoke", help="In the small copy of a smoke run.")] = False,
) -> None:
    """Make one asset from what is upstream of it. A red required check ends with exit code 1."""
    if asset not in GRAPH:
        raise typer.BadParameter(f"no asset {asset}; there are {', '.join(GRAPH)}")
    if GRAPH[asset].per_checkpoint:
        raise typer.BadParameter(f"{asset} is made by Dagster's job gate_external; at a terminal use `gate`")
    if GRAPH[asset].partitioned != (recipe is not None):
        raise typer.BadParameter(f"{asset} takes {'a' if GRAPH[asset].partitioned else 'no'} --recipe")
    made = make_asset(workspace(force=force, smoke=smoke), asset, recipe)
    _show(made)
    if red_blocking(made):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Run the whole bundled project through Dagster; needs DAGSTER_HOME (`make demo` sets it)."""
    raise typer.Exit(subprocess.run([sys.executable, "-m", "safety_assets.demo"], check=False).returncode)


def _show(made: Made) -> None:
    artefact = made.artefact
    how = "reused" if made.cached else "made"
    console.print(f"{name_of(artefact.asset, artefact.partition)} {how}: {artefact.path}", soft_wrap=True, markup=False)
    for verdict in made.verdicts:
        colour = "green" if verdict.passed else "red"
        said = escape(" ".join(verdict.reasons))
        console.print(f"  [{colour}]{verdict.status}[/{colour}] {verdict.check} {said}", soft_wrap=True)
