"""`status`: what is current, and which checks pass on it."""

from rich.table import Table

from safety_assets.commands.released import released_line
from safety_assets.commands.terminal import app, console, in_words, workspace
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.workspace import Workspace
from safety_assets.records import Verdict
from safety_assets.store import WHOLE, Artefact


@app.command()
@in_words
def status() -> None:
    """What is current, which checks pass on it, and what is released."""
    ws = workspace()
    table = Table("asset", "recipe", "digest", "made", "checks")
    for asset in GRAPH:
        for partition in ws.store.partitions(asset):
            found = ws.store.current(asset, partition)
            recipe = "" if partition == WHOLE else partition
            table.add_row(asset, recipe, found.digest[:12], found.manifest.made_at, _checks(ws, found))
    console.print(table)
    console.print(f"Released: {released_line(ws)}")


def _checks(ws: Workspace, artefact: Artefact) -> str:
    verdicts: list[Verdict] = [verdict_of(ws, artefact, check) for check in CHECKS.get(artefact.asset, ())]
    red = [verdict.check for verdict in verdicts if not verdict.passed]
    return f"red: {', '.join(red)}" if red else f"{len(verdicts)} pass" if verdicts else ""
