"""`materialize`: one asset from a terminal, without Dagster; `demo`: the bundled project, with it."""

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from safety_assets.commands.completion import Asset, RecipeOption, demand_asset
from safety_assets.commands.documents import made_document
from safety_assets.commands.progress import progress
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace

if TYPE_CHECKING:
    from safety_assets.flows.workspace import Made


@app.command()
@in_words
def materialize(
    asset: Asset,
    recipe: RecipeOption = None,
    force: Annotated[bool, typer.Option(help="Do the work again although it was done before.")] = False,
    smoke: Annotated[bool, typer.Option("--smoke", help="In the small copy of a smoke run.")] = False,
    as_json: JSON = False,
) -> None:
    """Make one asset from what is upstream of it. What was made before from the same inputs is reused.

    A gated asset is refused while a required check upstream is red, missing or stale; `explain` says what to do.
    """
    demand_asset(asset, recipe, observed=True)
    from safety_assets.flows.assets import materialize as make_asset
    from safety_assets.flows.checks import red_blocking

    started = time.perf_counter()
    with progress(quiet=as_json) as report:
        made = make_asset(workspace(force=force, smoke=smoke, report=report), asset, recipe)
    if as_json:
        print_json(made_document(made, time.perf_counter() - started))
    else:
        _show(made)
    if red_blocking(made):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Run the whole bundled project through Dagster; needs DAGSTER_HOME (`make demo` sets it)."""
    raise typer.Exit(subprocess.run([sys.executable, "-m", "safety_assets.demo"], check=False).returncode)


def _show(made: "Made") -> None:
    from safety_assets.flows.inputs import name_of

    artefact = made.artefact
    how = "reused" if made.cached else "made"
    console.print(f"{name_of(artefact.asset, artefact.partition)} {how}: {artefact.path}", soft_wrap=True, markup=False)
    for verdict in made.verdicts:
        colour = "green" if verdict.passed else "red"
        said = escape(" ".join(verdict.reasons))
        console.print(f"  [{colour}]{verdict.status}[/{colour}] {verdict.check} {said}", soft_wrap=True)
