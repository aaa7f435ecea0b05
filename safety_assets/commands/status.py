"""`status`: what is served, what is red or stale, what ran last; `explain`: why one asset is red, and what is next."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.released import released_line
from safety_assets.commands.terminal import app, console, in_words, workspace
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.inputs import name_of
from safety_assets.flows.standing import FINE, Disk, Run, Served, Standing, disk, last_runs, sentence, served, standings
from safety_assets.flows.standing import explain as explained
from safety_assets.flows.workspace import Workspace
from safety_assets.store import WHOLE

GIGABYTE = 1e9
JSON = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
@in_words
def status(as_json: JSON = False) -> None:
    """What is current, red and stale, what ran last, what is served and how much disk is left.

    Exit code 1 when the gate would not release what is served again today: a check behind it is red, something
    it was made from changed, or its files did. 0 otherwise, also when nothing is served. Reads every served byte.
    """
    ws = workspace()
    now, stands, runs, space = served(ws), list(standings(ws)), last_runs(ws), disk(ws)
    if as_json:
        print(json.dumps(_document(ws, now, stands, runs, space), indent=2, ensure_ascii=False))
    else:
        _show(ws, now, stands, runs, space)
    if now is not None and now.problems:
        raise typer.Exit(1)


def _document(ws: Workspace, now: Served | None, stands: Sequence[Standing], runs: Sequence[Run], space: Disk) -> dict:
    """Everything `status` knows, as plain values."""
    return {
        "project": {"name": ws.project.settings.name, "folder": str(ws.project.folder), "storage": str(ws.store.root)},
        "well": now is None or not now.problems,
        "served": None if now is None else {**_served(now), "problems": list(now.problems)},
        "assets": [_standing(stand) for stand in stands],
        "runs": [{"run_id": run.run_id, "ended_at": run.ended_at, "made": list(run.made)} for run in runs],
        "disk": {"used_bytes": space.used, "free_bytes": space.free},
    }


def _served(now: Served) -> dict:
    release = now.record["release"]
    return {
        "recipe": release["recipe"],
        "weights": release["weights"],
        "folder": release["folder"],
        "since": now.record["at"],
        "sequence": now.record["sequence"],
    }


def _standing(stand: Standing) -> dict:
    manifest = stand.artefact.manifest
    blocking = {verdict.check for verdict in stand.blocking}
    return {
        "asset": manifest.asset,
        "recipe": None if manifest.partition == WHOLE else manifest.partition,
        "digest": manifest.digest,
        "made_at": manifest.made_at,
        "run_id": manifest.run_id,
        "checks_passed": stand.num_passed,
        "red": [
            {"check": v.check, "status": v.status, "blocking": v.check in blocking, "reasons": list(v.reasons)}
            for v in stand.red
        ],
        "stale": list(stand.stale),
    }


def _show(ws: Workspace, now: Served | None, stands: Sequence[Standing], runs: Sequence[Run], space: Disk) -> None:
    table = Table("asset", "recipe", "digest", "made", "state")
    for stand in stands:
        row = _standing(stand)
        table.add_row(row["asset"], row["recipe"], row["digest"][:12], row["made_at"], _state(stand))
    console.print(table)
    for stand in stands:
        for said in (*map(sentence, stand.red), *stand.stale):
            where = name_of(stand.artefact.asset, stand.artefact.partition)
            console.print(f"[red]{escape(where)}[/red]  {escape(said)}", soft_wrap=True)
    for run in runs:
        by = f"Run {run.run_id}" if run.run_id else "No run"
        console.print(f"{by}, {run.ended_at}: {', '.join(run.made)}", soft_wrap=True, markup=False)
    used, free = space.used / GIGABYTE, space.free / GIGABYTE
    console.print(f"Disk: {used:.2f} GB used in {ws.store.root}, {free:.1f} GB free", soft_wrap=True, markup=False)
    console.print(f"Released: {released_line(ws)}", soft_wrap=True, markup=False)
    for problem in now.problems if now else ():
        console.print(f"[red]served[/red]    {escape(problem)}", soft_wrap=True)


def _state(stand: Standing) -> str:
    if stand.red:
        return f"[red]{len(stand.red)} red[/red]"
    if stand.stale:
        return "[yellow]stale[/yellow]"
    return f"{stand.num_passed} pass" if stand.num_passed else ""


@app.command()
@in_words
def explain(
    asset: Annotated[str, typer.Argument(help="Name of the asset.")],
    recipe: Annotated[str | None, typer.Option(help="Name of the recipe, for the assets that have one.")] = None,
    as_json: JSON = False,
) -> None:
    """Why an asset is red, missing or stale, every reason, and the next command to type.

    Exit code 0 when it is green or only warned (a check that blocks nothing is red), else 1.
    """
    if asset not in GRAPH or GRAPH[asset].observed:
        made = ", ".join(name for name, node in GRAPH.items() if not node.observed)
        raise typer.BadParameter(f"no asset {asset} is made; there are {made}")
    if GRAPH[asset].partitioned != (recipe is not None):
        raise typer.BadParameter(f"{asset} takes {'a' if GRAPH[asset].partitioned else 'no'} --recipe")
    ws = workspace()
    if recipe is not None:
        ws.project.recipe(recipe)
    found = explained(ws, asset, recipe or WHOLE)
    if as_json:
        about = {"asset": asset, "recipe": recipe, "state": found.state, "reasons": list(found.reasons)}
        print(json.dumps({**about, "mend": found.mend, "next": found.command}, indent=2, ensure_ascii=False))
    else:
        console.print(f"{name_of(asset, recipe or WHOLE)} is {found.state}.", soft_wrap=True, markup=False)
        for number, reason in enumerate(found.reasons, 1):
            console.print(f"  {number}. {reason}", soft_wrap=True, markup=False, highlight=False)
        if found.mend:
            console.print(f"First mend: {found.mend}", soft_wrap=True, markup=False, highlight=False)
        if found.command:
            console.print(f"Next: {found.command}", soft_wrap=True, markup=False, highlight=False)
    if found.state not in FINE:
        raise typer.Exit(1)
