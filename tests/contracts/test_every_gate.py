"""Every verdict of a release, given broken input, refuses with a reason and never raises."""

import inspect
from datetime import date

import polars as pl
import pytest

from safety_assets.figure_specs import Consistency, Exposure, Serving
from safety_assets.measures import InDomain, Judges, WrappedBudget
from safety_assets.policy import DimensionPolicy, InjectionPolicy, Policy, ProbePolicy, SignOffs, TaskPolicy
from safety_assets.records import DIMENSION_SCORES, SCORES, TASK_SCORES
from safety_assets.release import verdicts
from safety_assets.release.signed import Signed, Void

NAN, DAY, DIGEST = float("nan"), date(2026, 1, 31), "a" * 64
RULE = DimensionPolicy(rank="critical", why="w")
ADVISORY = DimensionPolicy(rank="advisory", why="w")
INJECTION = InjectionPolicy(categories=("weapons",))
TASK = TaskPolicy(floor=0.0, min_gain=-1)
EXPOSED = {"mean": NAN, "low": NAN, "high": NAN, "worst": NAN}
COST = {"what": "latency", "ratio": NAN, "low": NAN, "high": NAN}
SIGNERS = Policy.model_construct(people={}, sign_offs=SignOffs(), risk="high", dispositions=None)
NOBODY, ODD = Signed(), Signed(void=(Void("hold-x.json", "It is torn.", True),))
JUNK = (None, NAN, 7, "x", [], {}, {"drop": NAN}, pl.DataFrame(), pl.DataFrame({"value": [NAN]}))
JUDGES = Judges(second="fitted", where="judge.json")
REVIEWED = {
    "num_unread": 0, "num_queued": 3, "disagreement": {"base": 0.0, "tuned": 0.01},
    "num_answers": {"base": 9, "tuned": 9},
}  # fmt: skip
LOST = {"dimension": "safety", "category": "fraud", "num_lost": 9, "num_items": 20, "p_adjusted": 0.01}
NAN_TASKS = TASK_SCORES.frame([{"model": "m", "task_id": "t", "value": NAN}])
STEADY = {
    "side": "candidate", "dimension": "all", "judge": "rules", "temperature": None, "num_items": 256, "num_unscored": 0,
    "num_draws": 7, "agreement": 0.99, "agreement_low": 0.97, "agreement_high": 1.0, "kappa": 0.9, "kappa_low": 0.8,
    "kappa_high": 1.0, "no_kappa_because": None, "flip_rate": 0.01, "pass_rate": 0.5, "change": 0.0,
    "change_low": -0.01, "change_high": 0.01,
}  # fmt: skip
HOLDS = Consistency(min_agreement=0.9, min_kappa=0.6, max_drop=0.05)
UNSTEADY = [
    {name: None}
    for name in ("num_items", "num_unscored", "agreement", "agreement_low", "agreement_high", "kappa", "kappa_low")
] + [
    {"num_items": 0}, {"num_unscored": 20}, {"agreement_low": 0.8}, {"agreement_high": 0.8, "agreement_low": 0.7},
    {"kappa": None, "no_kappa_because": "every verdict is the same"}, {"kappa_low": 0.5}, {"kappa_high": 0.5},
    {"change": None}, {"change_low": -0.1}, {"change_high": -0.06}, {"agreement": NAN}, {"side": "base"},
    {"dimension": "safety"}, {"temperature": 0.7},
]  # fmt: skip
CURVE = pl.DataFrame({"share": INJECTION.shares, "safety_drop": [NAN] * 4, "over_refusal": [NAN] * 4})

BROKEN = {
    "answers_reviewed": [(junk, JUDGES, "plain") for junk in (*JUNK, {"num_unread": NAN, "num_queued": 0})]
    + [({**REVIEWED, "num_unread": 3}, JUDGES, "plain"), (REVIEWED, JUDGES, "plain", "the judge is down")]
    + [({**REVIEWED, "disagreement": {"base": 0, "tuned": bad}}, JUDGES, "p") for bad in (NAN, None, "x", 0.9, -1)]
    + [({**REVIEWED, "num_answers": {"base": 0, "tuned": 9}}, JUDGES, "plain")],
    "baseline_is_aligned": [(junk, {}, DAY) for junk in (*JUNK, DIMENSION_SCORES.empty())],
    "consistency_budget": [(junk, HOLDS, ProbePolicy()) for junk in (*JUNK, {"absent_because": "no memory"})]
    + [(pl.DataFrame([{**STEADY, **odd}]), HOLDS, ProbePolicy()) for odd in UNSTEADY]
    + [(pl.DataFrame([STEADY, {**STEADY, "judge": "second", "agreement_low": 0.5}]), HOLDS, ProbePolicy())]
    + [(pl.DataFrame([STEADY]), rule, ProbePolicy()) for rule in (Consistency(), Consistency(floors={"safety": 0.8}))],
    "curve_covers_the_choice": [(junk, 0.05, INJECTION) for junk in (*JUNK, CURVE, CURVE.clear())]
    + [(CURVE, bad, INJECTION) for bad in (None, NAN, "x")],
    "every_dimension_scored": [(junk, ProbePolicy()) for junk in (*JUNK, DIMENSION_SCORES.empty())],
    "evidence_is_current": [(junk,) for junk in (None, NAN, 7, "x", [None], ["stale"])],
    "exposure_budget": [
        (junk, Exposure(max_bits=3.0))
        for junk in (*JUNK, {"num_canaries": 9}, {"num_canaries": 0}, {"num_canaries": 9, "candidate": EXPOSED})
    ]
    + [({"num_canaries": 9, "candidate": dict.fromkeys(EXPOSED, 1.0)}, Exposure())],
    "further_budget": [
        ("mmlu", rule, delta, score, ProbePolicy(), DAY)
        for rule in (RULE, ADVISORY)
        for delta in (*JUNK, {"dimension": "mmlu"})
        for score in (None, {"dimension": "mmlu", "score": NAN})
    ],
    "in_domain_budget": [
        ("safety", InDomain(), rule, delta, score, ProbePolicy(), DAY)
        for rule in (RULE, ADVISORY)
        for delta in (*JUNK, {"dimension": "safety in domain"})
        for score in (None, {"dimension": "safety in domain", "score": NAN})
    ],
    "not_asked": [("wrapped_prefill", "nobody asked it")],
    "not_measured": [("mmlu", "nobody ran it")],
    "over_refusal_ceiling": [(junk, 0.08, ProbePolicy()) for junk in (*JUNK, {"rate": NAN, "num_items": 100})],
    "losses_disposed": [(SIGNERS, junk, NOBODY, DIGEST, DAY) for junk in (None, NAN, 7, "x", [{}], [{"num_lost": NAN}])]
    + [(SIGNERS, [LOST], junk, DIGEST, DAY) for junk in (*JUNK, NOBODY)],
    "not_held": [(junk, DIGEST, DAY) for junk in (*JUNK, ODD)] + [(NOBODY, junk, DAY) for junk in JUNK],
    "policy_binds": [(junk, DIGEST, {}, SIGNERS, NOBODY, DAY) for junk in JUNK]
    + [(DIGEST, junk, {}, SIGNERS, NOBODY, DAY) for junk in JUNK]
    + [(DIGEST, "b" * 64, owners, SIGNERS, signed, DAY) for owners in JUNK for signed in (*JUNK, NOBODY)],
    "regression_budget": [
        ("safety", rule, delta, score, ProbePolicy(), DAY)
        for rule in (RULE, ADVISORY)
        for delta in (*JUNK, {"dimension": "safety"})
        for score in (None, {"dimension": "safety", "score": NAN})
    ],
    "share_as_the_recipe_says": [
        (a, b, 100, 1) for a, b in ((None, 0.1), (0.1, None), (NAN, 0.1), (0.1, NAN), ("x", 0.1))
    ]
    + [(0.1, 0.1, bad, 1) for bad in (0, -1, None, "x")],
    "serving_budget": [
        (junk, Serving(max_latency_ratio=1.5))
        for junk in (*JUNK, pl.DataFrame([COST]), pl.DataFrame({"what": ["size"]}))
    ]
    + [
        (pl.DataFrame([{**COST, "ratio": 1.0, "low": 1.0, "high": 1.0}]), rule)
        for rule in (Serving(), Serving(max_size_ratio=2.0))
    ],
    "signed_off": [(SIGNERS, junk, DIGEST, DIGEST, DAY) for junk in (*JUNK, NOBODY)]
    + [(SIGNERS, NOBODY, junk, DIGEST, DAY) for junk in JUNK],
    "task_floor": [(junk, None, TASK) for junk in (*JUNK, TASK_SCORES.empty(), NAN_TASKS)],
    "verdicts_repeat": [(junk, junk) for junk in (*JUNK, SCORES.empty())],
    "weights_are_the_ones_scored": [(junk, {"scores": DIGEST}) for junk in JUNK] + [(DIGEST, junk) for junk in JUNK],
    "weights_sound": [
        (None, 0, ()),
        (10, None, ()),
        (10, NAN, ()),
        (NAN, 0, ()),
        (10, 0, None),
        (10, -1, ()),
        (True, 0, ()),
    ],
    "wrapped_budget": [
        ("prefill", WrappedBudget(), delta, score, attacks, ProbePolicy(), DAY)
        for delta in (*JUNK, {"dimension": "resistance to prefill"})
        for score in (None, {"dimension": "resistance to prefill", "score": NAN})
        for attacks in ({}, {"base": None, "tuned": {"answered": NAN}})
    ],
}


def test_every_verdict_is_listed():
    public = {name for name, item in inspect.getmembers(verdicts, inspect.isfunction)}
    assert public == set(verdicts.__all__) == set(BROKEN)


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_broken_input_never_passes(name):
    for arguments in BROKEN[name]:
        verdict = getattr(verdicts, name)(*arguments)
        assert not verdict.passed, arguments
        assert verdict.reasons, arguments
        assert all(reason.strip() for reason in verdict.reasons)


def test_verdicts_that_hold_over_all_draws_pass():
    assert verdicts.consistency_budget(pl.DataFrame([STEADY]), HOLDS, ProbePolicy()).passed


def test_two_judges_who_agree_and_people_who_read_pass():
    assert verdicts.answers_reviewed(REVIEWED, JUDGES, "plain").passed
