"""A candidate beside what is served on the day of its decision: to be read by people, no verdict rests on it.

The budgets are spent against the aligned base, so that none is spent afresh with every release; what a user of the
served model will notice is the difference that stands here.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from safety_assets.errors import SafetyAssetsError
from safety_assets.evals.deltas import compare
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.flows.workspace import Workspace
from safety_assets.records import DELTAS, SCORES
from safety_assets.release import promotion
from safety_assets.release.markdown import points
from safety_assets.release.section import Grid, Section
from safety_assets.store import Artefact

TITLE = "Beside what is served"
COLUMNS = ("dimension", "served", "this candidate", "drop", "95% bounds")


def beside_served(ws: Workspace, scores: Artefact | None) -> Section | None:
    """The section of a decision's page; None where nothing is served, it is this candidate, or nothing was scored.

    Args:
        scores: `eval_scores` of the candidate.
    """
    try:
        record = promotion.released(ws.store.root, ws.project.settings.name)
        if scores is None or record is None or record["release"]["digests"]["scores"] == scores.digest:
            return None
        deltas = against(ws, served_scores(ws, record), scores)
        said = f"{record['release']['recipe']} was served when this was decided. The budgets are of the aligned base."
        return Section(title=TITLE, sentences=[said], tables=[Grid(COLUMNS, _rows(deltas))])
    except (SafetyAssetsError, OSError, KeyError, TypeError, ValueError) as error:
        return Section(title=TITLE, sentences=[f"It cannot be compared with what is served: {error}"])


def served_scores(ws: Workspace, record: Mapping[str, Any]) -> Artefact:
    """`eval_scores` of what a record of the release pointer serves, whole.

    Raises:
        StoreError: they are gone, or not as they were written.
    """
    scores = ws.store.open(record["release"]["digests"]["scores"])
    scores.verify()
    return scores


def against(ws: Workspace, served: Artefact, scores: Artefact) -> pl.DataFrame:
    """DELTAS of one `eval_scores` against another, as the policy of today certifies."""
    within = {name: rule.certify_within for name, rule in ws.policy.dimensions.items()}
    return DELTAS.check(compare(served.frame("scores", SCORES), scores.frame("scores", SCORES), DIMENSIONS, within))


def _rows(deltas: pl.DataFrame) -> list[list[str]]:
    return [
        [
            row["dimension"], points(row["baseline"]), points(row["candidate"]), points(row["drop"]),
            f"{points(row['drop_low'])} to {points(row['drop_high'])}",
        ]
        for row in deltas.iter_rows(named=True)
    ]  # fmt: skip
