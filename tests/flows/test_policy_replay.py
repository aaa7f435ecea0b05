"""A draft policy over past candidates: what it changes, and that it changes nothing in the store."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project

from safety_assets.flows.assets import materialize
from safety_assets.flows.replay import MEASURED, document, replay
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.store import digest_folder

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes


def draft(**change: object) -> Policy:
    return Policy.model_validate(small_project.policy_settings() | change)


def test_the_policy_in_force_changes_nothing(ws: Workspace) -> None:
    (found,), _ = replay(ws, ws.policy)
    assert (found.recipe, found.was.status, found.would.status) == ("protected", "approved", "approved")
    assert found.changed == []
    assert {v.check for v in found.would.verdicts} == set(MEASURED)


def test_a_stricter_draft_says_which_check_would_fail_and_why(ws: Workspace) -> None:
    before = digest_folder(ws.store.root)
    (found,), _ = replay(ws, draft(task={"floor": 0.99, "min_gain": -1.0}))
    assert (found.was.status, found.would.status) == ("approved", "rejected")
    said = document([found], [])
    assert said["changed"] == 1
    (change,) = said["candidates"][0]["changed"]
    assert (change["check"], change["was"], change["would"]) == ("task_floor", "pass", "fail")
    assert "the floor is 99.0%" in change["reasons"][0]
    assert digest_folder(ws.store.root) == before


def test_a_narrower_bound_is_not_certified_with_the_number_that_would_settle_it(ws: Workspace) -> None:
    settings = small_project.policy_settings()
    settings["probes"]["min_gate_probes"] = 8
    for rule in settings["dimensions"].values():
        rule |= {"certify_within": 2.5, "max_drop": 2.4}
    (found,), _ = replay(ws, Policy.model_validate(settings))
    assert found.would.status in ("not_certified", "rejected")
    assert any(f"over {2.5:.2f}" in reason or "budget is 2.40" in reason for reason in found.would.reasons)


def test_a_further_dimension_that_was_never_run_would_not_be_certified(ws: Workspace) -> None:
    rule = {"rank": "supporting", "max_drop": 5.0, "certify_within": 10.0, "why": "a test"}
    (found,), _ = replay(ws, draft(further={"mmlu": {"task": "mmlu", "rule": rule}}))
    assert found.would.status == "not_certified"
    assert [(a, b.check if b else "") for a, b in found.changed] == [(None, "further_mmlu")]


def test_a_decision_made_twice_counts_once_and_one_without_scores_not_at_all(
    again: Callable[..., Workspace], project: Path
) -> None:
    workspace = again()
    materialize(workspace, "release_decision", "protected")
    materialize(workspace, "release_decision", "plain")
    assert [one.recipe for one in replay(workspace, workspace.policy)[0]] == ["protected"]


def test_a_candidate_whose_scores_were_cleared_away_is_named(again: Callable[..., Workspace], project: Path) -> None:
    workspace = again()
    shutil.rmtree(workspace.store.current("eval_scores", "protected").path)
    found, (gone,) = replay(workspace, workspace.policy)
    assert found == []
    assert gone.startswith("protected, decided at 20")
