"""Decisions and releases from artefacts: never silent, never about other weights."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project

from safety_assets.errors import GateRefused, ModelError, StoreError
from safety_assets.flows.assets import materialize
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.release import decision_of, released_folder, roll_back
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.release import ledger, promotion

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]


def decide(ws: Workspace, recipe: str = "protected") -> object:
    return decision_of(materialize(ws, "release_decision", recipe).artefact)


def test_a_decision_about_nothing_is_not_certified_and_says_why(fresh: Workspace) -> None:
    made = materialize(fresh, "release_decision", "protected")
    decision = decision_of(made.artefact)
    assert decision.status == "not_certified"
    assert any("eval_scores of protected was never materialized" in reason for reason in decision.reasons)
    assert all(not v.passed for v in made.verdicts if v.check.startswith("regression_budget_"))
    assert (made.artefact.path / "evidence.md").read_text().startswith("# Release decision")


def test_what_is_released_is_what_was_scored(ws: Workspace) -> None:
    folder = released_folder(ws)
    assert folder == ws.store.current("finetuned_checkpoint", "protected").path / "model"
    assert decision_of(ws.store.current("release_decision", "protected")).digests["weights"] == model_digest(folder)
    assert promotion.released(ws.store.root, "small")["release"]["quantise"] is None


def test_a_budget_that_is_exceeded_rejects_and_stops_the_release(again: Again, project: Path) -> None:
    settings = small_project.policy_settings()
    settings["task"]["floor"] = 0.99
    small_project.write_yaml(project / "policy.yaml", settings)
    made = materialize(again(), "release_decision", "protected")
    assert decision_of(made.artefact).status == "rejected"
    assert {v.check for v in made.verdicts if v.status == "fail"} >= {"task_floor"}
    for step in ("model_card", "released_model"):
        with pytest.raises(GateRefused, match="task_floor failed"):
            materialize(again(), step, "protected")


def test_the_ledger_grows_by_decisions_that_differ(again: Again, project: Path) -> None:
    before = len(ledger.read(again().store.root))
    decide(again())
    assert len(ledger.read(again().store.root)) == before
    settings = small_project.policy_settings()
    settings["task"]["floor"] = 0.99
    small_project.write_yaml(project / "policy.yaml", settings)
    decide(again())
    assert len(ledger.read(again().store.root)) == before + 1


def test_releasing_the_same_again_moves_nothing(again: Again) -> None:
    ws = again()
    before = promotion.released(ws.store.root, "small")
    materialize(ws, "released_model", "protected")
    assert promotion.released(ws.store.root, "small") == before


def test_swapped_base_weights_are_refused(again: Again, project: Path, tmp_path: Path) -> None:
    """The folder that was recorded now holds other weights."""
    from safety_assets.flows.baseline import base_folder

    copy = Path(shutil.copytree(again().project.settings.base_model, tmp_path / "model"))
    small_project.write_yaml(project / "project.yaml", small_project.project_settings(copy))
    made = materialize(again(), "base_model").artefact
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError, match="materialize base_model again"):
        base_folder(again(), made)
    with pytest.raises(GateRefused, match="model_files changed since base_model"):
        materialize(again(), "finetuned_checkpoint", "protected")


def test_a_roll_back_to_weights_that_are_gone_is_refused(again: Again, project: Path) -> None:
    """The pointer stays: what is served now is sound, what it would move to is not."""
    first = again()
    weights = released_folder(first)
    settings = small_project.policy_settings()
    settings["owner"] = "another"
    small_project.write_yaml(project / "policy.yaml", settings)
    recipe = small_project.recipe_settings("protected")
    recipe["seed"] = 5
    small_project.write_yaml(project / "recipes" / "protected.yaml", recipe)
    ws = again()
    for asset in (name for name, node in GRAPH.items() if node.partitioned and not node.observed):
        materialize(ws, asset, "protected")
    assert released_folder(ws) != weights
    path = weights / "model.safetensors"
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    with pytest.raises(StoreError, match="not those that were released.*restore that folder"):
        roll_back(again())
    path.unlink()
    with pytest.raises(StoreError, match="weights of the release protected are damaged"):
        roll_back(again())
    assert promotion.released(ws.store.root, "small")["action"] == "promote"
    path.write_bytes(sound)
    roll_back(again())
    assert released_folder(again()) == weights
