"""`status`: what is served, what is red or stale, what ran last."""

from collections.abc import Sequence

import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.documents import release_document
from safety_assets.commands.released import released_line
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.flows.inputs import name_of
from safety_assets.flows.standing import Disk, Run, Served, Standing, disk, last_runs, sentence, served, standings
from safety_assets.flows.workspace import Workspace
from safety_assets.store import WHOLE

GIGABYTE = 1e9


@app.command()
@in_words
def status(as_json: JSON = False) -> None:
    """What is current, red and stale, what ran last, what is served and how much disk is left.

    It is not well when the gate would not release what is served again today: a check behind it is red, something
    it was made from changed, or its files did. Where nothing is served all is well. Reads every served byte.
    """
    ws = workspace()
    now, stands, runs, space = served(ws), list(standings(ws)), last_runs(ws), disk(ws)
    if as_json:
        print_json(_document(ws, now, stands, runs, space))
    else:
        _show(ws, now, stands, runs, space)
    if now is not None and now.problems:
        raise typer.Exit(1)


def _document(ws: Workspace, now: Served | None, stands: Sequence[Standing], runs: Sequence[Run], space: Disk) -> dict:
    """Everything `status` knows, as plain values."""
    return {
        "project": {"name": ws.project.settings.name, "folder": str(ws.project.folder), "storage": str(ws.store.root)},
        "well": now is None or not now.problems,
        "served": None if now is None else {**release_document(ws, now.record), "problems": list(now.problems)},
        "assets": [_standing(stand) for stand in stands],
        "runs": [{"run_id": run.run_id, "ended_at": run.ended_at, "made": list(run.made)} for run in runs],
        "disk": {"used_bytes": space.used, "free_bytes": space.free},
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
        where, colour = name_of(stand.artefact.asset, stand.artefact.partition), "red" if stand.blocking else "yellow"
        for said in (*map(sentence, stand.red), *stand.stale):
            console.print(f"[{colour}]{escape(where)}[/]  {escape(said)}", soft_wrap=True)
    for run in runs:
        by = f"Run {run.run_id}" if run.run_id else "No run"
        console.print(f"{by}, {run.ended_at}: {', '.join(run.made)}", soft_wrap=True, markup=False)
    used, free = space.used / GIGABYTE, space.free / GIGABYTE
    console.print(f"Disk: {used:.2f} GB used in {ws.store.root}, {free:.1f} GB free", soft_wrap=True, markup=False)
    console.print(f"Released: {released_line(ws)}", soft_wrap=True, markup=False)
    for problem in now.problems if now else ():
        console.print(f"[red]served[/red]    {escape(problem)}", soft_wrap=True)


def _state(stand: Standing) -> str:
    if stand.blocking:
        return f"[red]{len(stand.blocking)} red[/red]"
    if stand.stale:
        return "[yellow]stale[/yellow]"
    if stand.red:
        return "[yellow]warned[/yellow]"
    return f"{stand.num_passed} pass" if stand.num_passed else ""
