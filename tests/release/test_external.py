"""The law for weights from elsewhere: the release's own, without what only training here can show."""

import dataclasses

import polars as pl
import pytest

from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.records import Verdict
from safety_assets.release.decision import REQUIRED, Evidence, from_dict
from safety_assets.release.external import FIRST, NOT_ASKED, decide_external, not_checked, required, undecided

ALL_WELL = {name: Verdict(check=name, status="pass") for name in FIRST}


@pytest.fixture
def outside(evidence: Evidence) -> Evidence:
    """Evidence as it is known of weights from elsewhere."""
    return dataclasses.replace(evidence, upstream=ALL_WELL, policy_trained=None, problems=None, task_scores=None)


def test_every_check_of_a_release_holds_but_those_of_training_here() -> None:
    assert set(REQUIRED) - set(required(with_task=True)) == {"policy_binds", "evidence_is_current"}
    assert set(required(with_task=True)) - set(required(with_task=False)) == {"task_floor"}
    assert {f"regression_budget_{name}" for name in DIMENSIONS} <= set(required(with_task=False))


def test_good_evidence_is_approved_without_a_task(outside: Evidence, policy: Policy) -> None:
    decision = decide_external(outside, policy, with_task=False)
    assert (decision.status, decision.reasons) == ("approved", ())
    assert from_dict(decision.as_dict(), required(with_task=False)) == decision


def test_a_task_that_was_asked_for_must_be_scored(outside: Evidence, evidence: Evidence, policy: Policy) -> None:
    assert decide_external(outside, policy, with_task=True).status == "not_certified"
    scored = dataclasses.replace(outside, task_scores=evidence.task_scores)
    assert decide_external(scored, policy, with_task=True).status == "approved"


@pytest.mark.parametrize("name", FIRST)
def test_what_comes_first_leaves_the_question_open(outside: Evidence, policy: Policy, name: str) -> None:
    """Even with a breach in the evidence: without a sound measurement nothing is rejected."""
    red = undecided(name, Verdict(check="x", status="fail", reasons=("It does not hold.",)))
    lost = outside.deltas.with_columns(drop=pl.lit(9.0), drop_high=pl.lit(9.5))
    for upstream in ({**ALL_WELL, name: red}, {k: v for k, v in ALL_WELL.items() if k != name}):
        worse = dataclasses.replace(outside, upstream=upstream, deltas=lost)
        decision = decide_external(worse, policy, with_task=False)
        assert decision.status == "not_certified"
        assert NOT_ASKED in decision.reasons


def test_undecided_never_rejects_and_never_lets_pass() -> None:
    for status, left in (("pass", "pass"), ("fail", "not_certified"), ("not_certified", "not_certified")):
        judged = undecided("b", Verdict(check="a", status=status, reasons=("why",)))
        assert (judged.check, judged.status, judged.reasons) == ("b", left, ("why",))


@pytest.mark.parametrize("field", ["deltas", "scores", "over_refusal", "weights_now", "weights_scored"])
@pytest.mark.parametrize("broken", [None, 7, "x", {}])
def test_broken_evidence_is_not_certified(outside: Evidence, policy: Policy, field: str, broken: object) -> None:
    decision = decide_external(dataclasses.replace(outside, **{field: broken}), policy, with_task=False)
    assert decision.status == "not_certified"
    assert decision.reasons


def test_an_external_decision_is_no_release(outside: Evidence, policy: Policy) -> None:
    """Read back by the law of a release it lacks what a release demands."""
    from safety_assets.errors import StoreError

    with pytest.raises(StoreError, match="did not ask for"):
        from_dict(decide_external(outside, policy, with_task=False).as_dict())


def test_the_report_says_what_could_not_be_checked() -> None:
    assert len(not_checked(with_task=False)) == len(not_checked(with_task=True)) + 1
