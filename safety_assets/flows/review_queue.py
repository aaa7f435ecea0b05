"""The answers that people have to read, and their labels taken in: what cannot be taken is named and set aside."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals.review import REVIEW, labels_in
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.read_answers import read_reviewed, record
from safety_assets.flows.two_judges import found_by
from safety_assets.flows.workspace import Workspace
from safety_assets.store import Artefact, digest_json, write_frame

JUDGED_TWICE = ("eval_scores", "external_verdict")
SHEET = "review_sheet"
"""Asset of the sheets that `gate` writes: what it measures is no asset of its own."""


@dataclass(frozen=True)
class TakenIn:
    """Labels of a sheet.

    Args:
        taken: how many were recorded.
        read: how many answers the project's people have read by now.
        set_aside: a sentence for each that was not recorded.
    """

    taken: int
    read: int
    set_aside: tuple[str, ...]


def waiting(ws: Workspace, name: str) -> pl.DataFrame:
    """REVIEW of the answers of a recipe, or of a checkpoint from elsewhere, that nobody has read.

    Raises:
        EvaluationError: it was not judged twice.
    """
    made = next((found for asset in JUDGED_TWICE if (found := ws.store.find(asset, name)) is not None), None)
    if made is None or found_by(made) is None:
        raise EvaluationError(
            f"the answers of {name} were not judged twice", expected="`judges` in the policy, and scores made under it",
            do=f"safety-assets materialize eval_scores --recipe {name}",
        )  # fmt: skip
    read = read_reviewed(ws.project)
    return made.frame("review", REVIEW).filter(~pl.col("id").is_in(list(read)))


def take_in(ws: Workspace, sheet: Path, day: date) -> TakenIn:
    """Record the labels of a filled in sheet, each with the day.

    Set aside is a line with another word, without a signature or an id, an answer with two labels, and an answer that
    stands in no queue: nobody gives it any more.

    Raises:
        EvaluationError: the sheet cannot be read, or holds labels of which none can be taken.
    """
    rows, faults = labels_in(sheet)
    queued = _queued(ws)
    stale = [
        f"{row['place']}: answer {row['id']} stands in no queue now; whoever gave it was made anew, or it is of "
        "another project"
        for row in rows
        if row["id"] not in queued
    ]
    good = [row for row in rows if row["id"] in queued]
    aside = (*faults, *stale)
    if aside and not good:
        raise EvaluationError(
            f"none of {len(aside)} labels can be taken. {'. '.join(aside)}", expected="a sheet of a queue of today",
            do="correct the lines, or label a new sheet: safety-assets review queue",
        )  # fmt: skip
    return TakenIn(len(good), record(ws.project, good, day), aside)


def keep_sheet(ws: Workspace, name: str, queue: pl.DataFrame, digests: dict[str, str]) -> Artefact:
    """Keep a queue of `gate`, so that its labels are known when they come back; the last one of a checkpoint counts.

    Args:
        queue: REVIEW.
        digests: of what was asked, and of whom.
    """
    return ws.store.publish(
        SHEET, lambda folder: write_frame(folder, "review", queue, REVIEW), partition=digest_json(name)[:16],
        inputs=digests, code_version=sources_version("evals.review"), run_id=ws.run_id,
    )  # fmt: skip


def _queued(ws: Workspace) -> set[str]:
    """Ids of every answer that people have to read, or have read, of what is current."""
    places = [(asset, name) for asset in (*JUDGED_TWICE, SHEET) for name in ws.store.partitions(asset)]
    made = [ws.store.current(*place) for place in places]
    has = [one for one in made if (one.path / "review.parquet").is_file()]
    return {name for one in has for name in one.frame("review", REVIEW)["id"]}
