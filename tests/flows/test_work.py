"""The same work is done once, is resumed when it was interrupted, and is redone when asked for."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project
import yaml

from safety_assets.errors import Interrupted, StoreError, TrainingError
from safety_assets.flows.assets import materialize
from safety_assets.flows.code_version import code_version
from safety_assets.flows.corpus import chosen_share
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.workspace import Workspace
from safety_assets.records import HISTORY, TASK_SCORES
from safety_assets.worker import carry_out, launch_here, read_result

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]


def no_launch(order: dict) -> dict:
    raise AssertionError("nothing should be trained")


def test_what_did_not_change_is_reused(again: Again) -> None:
    for asset in ("raw_corpus", "injection_ratio", "safety_baseline", "safety_anatomy"):
        assert materialize(again(launch=no_launch), asset).cached, asset
    for asset in ("finetuned_checkpoint", "eval_scores"):
        assert materialize(again(launch=no_launch), asset, "protected").cached, asset


def test_force_does_it_again_and_gives_the_same(again: Again) -> None:
    before = again().store.current("finetuned_checkpoint", "protected").digest
    made = materialize(again(force=True), "finetuned_checkpoint", "protected")
    assert not made.cached
    assert made.artefact.digest == before


def test_a_changed_input_is_new_work(again: Again, project: Path) -> None:
    settings = small_project.recipe_settings("protected")
    settings["optimiser"]["steps"] += 1
    small_project.write_yaml(project / "recipes" / "protected.yaml", settings)
    made = materialize(again(), "finetuned_checkpoint", "protected")
    assert not made.cached
    assert made.artefact.frame("history", HISTORY)["step"].max() == small_project.STEPS + 1


def test_a_task_marked_otherwise_is_scored_anew_and_asked_anew_only_for_likelihoods(
    again: Again, project: Path
) -> None:
    settings = yaml.safe_load((project / "project.yaml").read_text())
    for metric, asked_before in (({"metric": "numeric", "tolerance": 1}, True), ("response_loss", False)):
        small_project.write_yaml(project / "project.yaml", settings | {"task_metric": metric})
        for asset, partition in (("baseline_responses", "all"), ("candidate_responses", "protected")):
            assert materialize(again(launch=no_launch), asset, partition).cached is asked_before, (asset, metric)
        materialize(again(), "safety_baseline")
        scored = materialize(again(), "eval_scores", "protected")
        assert not scored.cached
        assert 0 <= scored.metadata["task_score"] <= 1
    values = scored.artefact.frame("task_scores", TASK_SCORES)["value"]
    assert 0 < values.min() <= values.max() < 1


def test_a_source_that_changes_while_it_is_read_is_refused(again: Again, project: Path) -> None:
    from safety_assets.flows.workspace import make, source_digests

    ws, rows = again(force=True), project / "corpus" / "rows.jsonl"
    before = source_digests(ws, "raw_corpus")
    with pytest.raises(StoreError, match="corpus_files changed while raw_corpus was made from it"):
        make(ws, "raw_corpus", lambda folder: rows.write_text("{}") and None, inputs=before)


def test_an_interrupted_training_resumes_to_the_same_weights(again: Again, project: Path) -> None:
    before = again().store.current("finetuned_checkpoint", "protected").digest
    shutil.rmtree(project / "store" / "made")
    first, second = StopAfter(2), StopAfter(10**6)

    with pytest.raises(Interrupted, match="interrupted and saved"):
        materialize(again(launch=first.launch), "finetuned_checkpoint", "protected")
    made = materialize(again(launch=second.launch), "finetuned_checkpoint", "protected")
    assert second.num_asked < small_project.STEPS + 1
    assert made.artefact.digest == before


class StopAfter(threading.Event):
    """A stop flag that turns true when it was looked at so many times."""

    def __init__(self, num_looks: int) -> None:
        super().__init__()
        self.num_looks, self.num_asked = num_looks, 0

    def is_set(self) -> bool:
        self.num_asked += 1
        return self.num_asked > self.num_looks

    def launch(self, order: dict) -> dict:
        return read_result(order, carry_out(order, lambda message: None, self))


@pytest.mark.long
def test_shares_trained_side_by_side_give_the_same_curve(
    again: Again, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = again().store.current("injection_ratio").digest
    settings = yaml.safe_load((project / "project.yaml").read_text())
    small_project.write_yaml(project / "project.yaml", {**settings, "sweep_processes": 2})
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    said: list[dict] = []
    made = materialize(
        again(force=True, launch=lambda order: launch_here(order, lambda m: said.append(dict(m)))), "injection_ratio"
    )
    assert not made.cached
    assert made.artefact.digest == before
    num_shares = len(small_project.policy_settings()["injection"]["shares"])
    ended = [message["done"] for message in said if message.get("event") == "sweep"]
    assert ended[: num_shares // 2] != [0] * (num_shares // 2)  # told while the shares were trained, not after
    assert ended[-1] == num_shares
    assert sum(message.get("state") == "scored" for message in said) == num_shares


def test_the_sweep_chose_a_share_of_the_policy(ws: Workspace) -> None:
    assert chosen_share(ws.store.current("injection_ratio")) in small_project.policy_settings()["injection"]["shares"]


def test_every_asset_has_a_code_version() -> None:
    versions = {name: code_version(name) for name in GRAPH}
    assert all(len(version) == 16 for version in versions.values())
    assert versions["raw_corpus"] != versions["finetuned_checkpoint"]


def test_an_order_of_another_kind_is_refused() -> None:
    from safety_assets.flows.orders import run_order

    with pytest.raises(TrainingError, match="Expected: train, repair, calibrate, point, steps or measure"):
        run_order({"kind": "dance"}, print, lambda: False)
