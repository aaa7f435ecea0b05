"""A candidate that passes everything: the tests of a release break one thing at a time."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from bypass_stage import Stage, approved_stage, copy_stage
from release_rows import LAW, WEIGHTS, delta_row, score_row, task_frame

from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.project import PROJECT_VARIABLE
from safety_assets.records import DELTAS, DIMENSION_SCORES
from safety_assets.release.decision import Evidence
from safety_assets.release.signed import Signed


@pytest.fixture
def law() -> dict:
    """A policy's content; change it and validate."""
    rules = {name: {"rank": "critical", "why": "it matters"} for name in DIMENSIONS}
    rules["fairness"]["rank"] = "supporting"
    rules["inclusivity"]["rank"] = "advisory"
    return {
        "dimensions": rules,
        "task": {"floor": 0.5, "min_gain": 0.1},
        "corpus": {"actions": {}},
        "injection": {"categories": ["weapons"]},
    }


@pytest.fixture
def policy(law) -> Policy:
    return Policy.model_validate(law)


@pytest.fixture
def evidence() -> Evidence:
    return Evidence(
        recipe="mixed",
        today=date(2026, 1, 31),
        deltas=DELTAS.frame([delta_row(name) for name in DIMENSIONS]),
        scores=DIMENSION_SCORES.frame([score_row(name) for name in DIMENSIONS]),
        task_scores=task_frame(80, 20),
        baseline_task_scores=task_frame(10, 90, model="c" * 64),
        over_refusal={
            "rate": 0.01,
            "low": 0.0,
            "high": 0.04,
            "num_items": 100,
            "num_unscored": 0,
            "unscored_reason": None,
        },
        weights_now=WEIGHTS,
        weights_scored={"scores": WEIGHTS, "manifest": WEIGHTS},
        policy_trained=LAW,
        policy_now=LAW,
        problems=(),
        lost_categories=(),
        signed=Signed(),
        digests={"eval_scores": "d" * 64},
    )


@pytest.fixture(scope="session")
def approved(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`protected` and `mixed` are approved and have a card; neither is released."""
    return approved_stage(tmp_path_factory.mktemp("approved"), tiny_model, ("protected", "mixed"))


@pytest.fixture
def stage(approved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A copy of it that this test may spoil, and that the definitions read."""
    copied = copy_stage(approved, tmp_path)
    monkeypatch.setenv(PROJECT_VARIABLE, str(copied.folder))
    return copied


@pytest.fixture
def instance(stage: Stage) -> Iterator[dg.DagsterInstance]:
    with stage.instance() as opened:
        yield opened
