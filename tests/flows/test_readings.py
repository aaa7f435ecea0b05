"""What is shown beside the verdicts: calibration, phrasings, suites that could not show a loss."""

from pathlib import Path

import polars as pl
import pytest

from safety_assets.evals.confidence import CONFIDENCE
from safety_assets.evals.informative import INFORMATIVE
from safety_assets.evals.phrasings import PHRASINGS
from safety_assets.flows.evaluation import deltas_shown
from safety_assets.flows.readings import informative_shown, told_of_suites, write_informative
from safety_assets.flows.workspace import Workspace
from safety_assets.records import SCORES
from safety_assets.store import WHOLE, Artefact, write_frame

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes


def published(ws: Workspace, asset: str, partition: str, frame: pl.DataFrame, **inputs: str) -> Artefact:
    """An artefact that holds these scores and nothing else."""

    def write(folder: Path) -> None:
        write_frame(folder, "scores", frame, SCORES)

    return ws.store.publish(asset, write, partition=partition, inputs=inputs, code_version="test")


def passing(ws: Workspace) -> pl.DataFrame:
    scores = ws.store.current("safety_baseline").frame("scores", SCORES)
    return scores.with_columns(value=pl.lit(1.0), unscored_reason=pl.lit(None, pl.String))


def written(ws: Workspace, recipe: str, base: Artefact, scores: pl.DataFrame) -> Artefact:
    def write(folder: Path) -> None:
        write_informative(ws, folder, recipe, base, scores)

    return ws.store.publish("informative", write, inputs={}, code_version="test")


def test_scores_come_with_calibration_and_phrasings(ws: Workspace) -> None:
    for artefact in (ws.store.current("safety_baseline"), ws.store.current("eval_scores", "protected")):
        sure, ways = artefact.frame("confidence", CONFIDENCE), artefact.frame("phrasings", PHRASINGS)
        assert sure.filter(slice="seen", category="")["num_items"][0] > 0
        assert "refuses" in ways["phrasing"]
    shown = deltas_shown(ws.store.current("eval_scores", "protected"), {})
    assert 0 <= shown["ece/seen"] <= 1
    assert "strongest" in shown["safety_by_category"].columns
    assert "No recipe without protection" in str(shown["uninformative_against"])


def test_a_plain_recipe_is_measured_by_itself_and_the_others_by_it(ws: Workspace) -> None:
    whole = passing(ws)
    base = published(ws, "safety_baseline", WHOLE, whole)
    lost = whole.with_columns(value=pl.when(pl.col("dimension") == "safety").then(0.0).otherwise(1.0))
    found = informative_shown(written(ws, "plain", base, lost))
    assert found["uninformative_against"] == "plain"
    assert "safety" not in found["uninformative"]["dimension"]
    assert "privacy" in found["uninformative"]["dimension"]
    published(ws, "eval_scores", "plain", lost, safety_baseline=base.digest)
    artefact = written(ws, "protected", base, whole)
    assert informative_shown(artefact)["uninformative_against"] == "plain"
    (note,) = told_of_suites(artefact).values()
    assert note.passed
    assert any(reason.startswith("privacy, canary (seen) is uninformative") for reason in note.reasons)
    assert not any(reason.startswith("safety") for reason in note.reasons)


def test_a_plain_candidate_of_another_baseline_tells_nothing(ws: Workspace) -> None:
    whole = passing(ws)
    base = published(ws, "safety_baseline", WHOLE, whole)
    published(ws, "eval_scores", "plain", whole, safety_baseline="0" * 64)
    artefact = written(ws, "protected", base, whole)
    assert artefact.frame("informative", INFORMATIVE).is_empty()
    assert not told_of_suites(artefact)
    assert not told_of_suites(None)
