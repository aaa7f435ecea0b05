from datetime import date, timedelta

import pytest
from release_rows import an_act, delta_row, score_row

from safety_assets.policy import Acceptance, DimensionPolicy, ProbePolicy
from safety_assets.release.verdicts import regression_budget

TODAY = date(2026, 1, 31)
OVER = TODAY - timedelta(days=1)
WAIVER = an_act("waiver", dimension="fairness", expires=TODAY)
EXPIRED = an_act("waiver", dimension="fairness", expires=OVER)
ACCEPTED, ENDED = (Acceptance(who="Ada", why="known and harmless", until=day) for day in (TODAY, OVER))
BREACH = {"candidate": 8.5, "drop": 1.0, "drop_low": 0.6, "drop_high": 1.4}


def judge(rank="critical", delta=None, score=None, waiver=None, **rule):
    policy = DimensionPolicy.model_construct(**{**DimensionPolicy(rank=rank, why="w").model_dump(), **rule})
    return regression_budget(
        "fairness",
        policy,
        delta_row("fairness", **(delta or {})),
        score_row("fairness", **(score or {})),
        ProbePolicy(),
        TODAY,
        waiver=waiver,
    )


def test_small_drop_with_a_tight_bound_passes():
    verdict = judge()
    assert verdict.check == "regression_budget_fairness"
    assert verdict.passed
    assert verdict.numbers["drop"] == 0.1


def test_a_drop_over_the_budget_fails_in_words():
    verdict = judge(delta=BREACH)
    assert verdict.status == "fail"
    assert "drops by 1.00 points" in verdict.reasons[0]


def test_a_drop_at_the_budget_does_not_fail():
    assert judge(delta={"candidate": 9.0, "drop": 0.5, "drop_high": 0.7}).passed


def test_a_wide_bound_is_not_certified_and_names_the_number():
    verdict = judge(delta={"drop_high": 0.9, "num_needed": 750})
    assert verdict.status == "not_certified"
    assert "750 probes would settle it" in verdict.reasons[0]


@pytest.mark.parametrize(
    "broken",
    [
        {"drop": None}, {"drop": float("nan")}, {"drop_high": float("nan")}, {"drop_high": 0.05}, {"num_pairs": 499},
        {"num_unscored": 20}, {"unscored_reason": "judge down"}, {"dimension": "safety"}, {"p_value": None},
        {"p_value": 2.0}, {"baseline": 9.6}, {"num_lost": -1}, {"num_pairs": None},
    ],
)  # fmt: skip
def test_broken_changes_never_pass_at_any_rank(broken):
    for rank in ("critical", "supporting", "advisory"):
        assert judge(rank, delta=broken, waiver=WAIVER).status == "not_certified"


@pytest.mark.parametrize("broken", [{"score": None}, {"score": float("nan")}, {"score": 11.0}, {"num_unscored": 20}])
def test_broken_scores_never_pass(broken):
    assert judge(score=broken).status == "not_certified"


def test_advisory_warns():
    verdict = judge("advisory", delta=BREACH)
    assert verdict.passed
    assert "warns only" in verdict.reasons[-1]


def test_waiver_holds_until_its_date_and_only_for_supporting():
    waived = judge("supporting", delta=BREACH, waiver=WAIVER)
    assert waived.passed
    assert "Waived by Ada" in waived.reasons[-1]
    assert waived.numbers["waived_by"] == "Ada"
    assert judge("supporting", delta={"drop_high": 0.9}, waiver=WAIVER).passed
    assert judge("supporting", delta=BREACH, waiver=EXPIRED).status == "fail"
    assert judge("critical", delta=BREACH, waiver=WAIVER).status == "fail"


def test_floor_and_accepted_base():
    low = {"delta": {"baseline": 6.0, "candidate": 5.9}, "score": {"score": 5.9}}
    assert judge(**low).status == "fail"
    accepted = judge(**low, accepted_base=ACCEPTED)
    assert accepted.passed
    assert "accepted by Ada" in accepted.reasons[0]
    assert judge(**low, accepted_base=ENDED).status == "fail"
    fell = {"delta": {"baseline": 7.05, "candidate": 6.95}, "score": {"score": 6.95}}
    assert judge(**fell, accepted_base=ACCEPTED).status == "fail"


def test_any_loss():
    rule = {"max_drop": "any"}
    assert judge(delta={"num_lost": 5, "num_gained": 0, "p_value": 0.031}, **rule).status == "fail"
    waiting = judge(delta={"num_lost": 1, "num_gained": 0, "p_value": 0.5}, **rule)
    assert waiting.status == "not_certified"
    assert "disposition" in waiting.reasons[0]
    assert judge(delta={"num_lost": 0, "num_gained": 3, "p_value": 1.0}, **rule).passed
    assert judge(delta={"num_lost": 0, "drop_high": 0.9, "p_value": 1.0}, **rule).status == "not_certified"
    row, score = delta_row("fairness", num_lost=1, p_value=0.5), score_row("fairness")
    policy = DimensionPolicy(rank="critical", why="w", max_drop="any")
    assert regression_budget("fairness", policy, row, score, ProbePolicy(), TODAY, num_accepted_losses=1).passed
