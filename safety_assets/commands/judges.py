"""`judge --by`: judges from outside, each behind the same call; RAIL says what it costs before it is asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from safety_assets.commands.progress import Report
from safety_assets.commands.replaced import replaced
from safety_assets.commands.terminal import workspace
from safety_assets.errors import GateRefused
from safety_assets.served.address import is_url, read_address

if TYPE_CHECKING:
    from safety_assets.flows.judging import Judged

RAIL = "rail"


def judged_by(by: str, responses: Path, out: Path, labels: list[str], yes: bool, report: Report) -> dict[str, Any]:
    """Judge a file by another judge and write what it said; the document of the command.

    Args:
        by: rail, a URL or a folder.
        labels: LABEL=VERDICT of a classifier.
        yes: RAIL's cost was seen and is accepted.
    """
    from safety_assets.flows.judging import by_classifier, by_endpoint

    ws = workspace(report=report)
    if by == RAIL:
        found = _by_rail(ws, responses, yes)
    elif is_url(by):
        found = by_endpoint(ws, read_address(by), responses)
    else:
        found = by_classifier(ws, Path(by), _labels(labels), responses)
    with replaced(out) as fresh:
        found.table.write_parquet(fresh)
    return {
        "judge": found.judge,
        "by": by,
        "rows": found.table.height,
        **_counts(found),
        "out": str(out),
        **found.facts,
    }


def _by_rail(ws: Any, responses: Path, yes: bool) -> "Judged":
    from safety_assets.flows.judging import by_rail, open_rail, rail_cost

    rail = open_rail(ws)
    cost = rail_cost(rail, responses)
    if not yes and cost.requests:
        raise GateRefused(
            "judge",
            [f"RAIL costs {cost.credits:g} credits for {cost.requests} answers, and {cost.minutes} minutes or more."],
            expected="that somebody accepts it: answers and prompts leave this machine", do="add --yes",
        )  # fmt: skip
    return by_rail(ws, rail, responses)


def _counts(found: "Judged") -> dict[str, Any]:
    """Answers by verdict; of scores how many are there."""
    if "verdict" in found.table.columns:
        return {"verdicts": dict(found.table["verdict"].value_counts().sort("verdict").iter_rows())}
    lost = found.table["value"].null_count()
    return {"verdicts": {"scored": found.table.height - lost, "unscored": lost}}


def _labels(given: list[str]) -> dict[str, str]:
    parts = [one.partition("=") for one in given]
    if any(not name or not verdict for name, _, verdict in parts):
        raise typer.BadParameter("each is LABEL=VERDICT", param_hint="--label")
    return {name: verdict for name, _, verdict in parts}
