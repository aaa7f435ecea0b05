import dataclasses
import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from release_rows import an_act, delta_row

from safety_assets.errors import StoreError
from safety_assets.policy import DIMENSIONS
from safety_assets.records import DELTAS, Verdict
from safety_assets.release.decision import REQUIRED, Evidence, conclude, decide, from_json, holm
from safety_assets.release.signed import Signed

PASSES = {name: Verdict(check=name, status="pass") for name in REQUIRED}
STATUSES = st.sampled_from(["pass", "fail", "not_certified", "missing", "odd"])


def with_drops(evidence, **drops):
    rows = [
        delta_row(n, drop=drops.get(n, 0.1), candidate=9.5 - drops.get(n, 0.1), drop_high=drops.get(n, 0.1) + 0.3)
        for n in DIMENSIONS
    ]
    return dataclasses.replace(evidence, deltas=DELTAS.frame(rows))


def test_everything_green_is_approved(evidence, policy):
    decision = decide(evidence, policy)
    assert decision.reasons == ()
    assert decision.status == "approved"
    assert {v.check for v in decision.verdicts} == set(REQUIRED)


@settings(max_examples=150, deadline=None)
@given(st.lists(STATUSES, min_size=len(REQUIRED), max_size=len(REQUIRED)))
def test_never_approved_unless_every_verdict_passes(statuses):
    judged = [
        Verdict(check=n, status=s, reasons=("because.",))
        for n, s in zip(REQUIRED, statuses, strict=True)
        if s != "missing"
    ]
    decision = conclude(judged, recipe="r", today=date(2026, 1, 1), digests={})
    assert (decision.status == "approved") == all(s == "pass" for s in statuses)
    assert (decision.status == "rejected") == ("fail" in statuses)
    assert bool(decision.reasons) == (decision.status != "approved")


FIELDS = [
    f.name
    for f in dataclasses.fields(Evidence)
    if f.name not in ("recipe", "today", "accepted_losses", "digests", "owners_then")  # of owners: test_consent
]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("broken", [None, 7, "wrong"])
def test_broken_evidence_never_approves_and_never_raises(evidence, policy, field, broken):
    decision = decide(dataclasses.replace(evidence, **{field: broken}), policy)
    assert decision.status != "approved"
    assert decision.reasons


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(DIMENSIONS), column=st.sampled_from(["drop", "drop_high", "baseline", "candidate", "p_value"])
)
def test_a_hole_in_one_dimension_is_not_certified(evidence, policy, name, column):
    for hole in (None, float("nan"), float("inf")):
        rows = [delta_row(n, **({column: hole} if n == name else {})) for n in DIMENSIONS]
        decision = decide(dataclasses.replace(evidence, deltas=DELTAS.frame(rows)), policy)
        assert decision.status == "not_certified"
    missing = DELTAS.frame([delta_row(n) for n in DIMENSIONS if n != name])
    assert decide(dataclasses.replace(evidence, deltas=missing), policy).status == "not_certified"


def test_planted_drop_is_rejected_and_several_are_named_with_holm(evidence, policy):
    one = decide(with_drops(evidence, safety=1.0), policy)
    assert one.status == "rejected"
    two = decide(with_drops(evidence, safety=1.0, privacy=2.0), policy)
    assert two.reasons[0].startswith("2 dimensions are breached: safety (Holm-adjusted p")


def test_red_upstream_refuses(evidence, policy):
    red = Verdict(check="x", status="fail", reasons=("dirty.",))
    assert decide(dataclasses.replace(evidence, upstream={"rows_readable": red}), policy).status == "rejected"
    assert decide(dataclasses.replace(evidence, upstream={"x": None}), policy).status == "not_certified"
    assert decide(dataclasses.replace(evidence, problems=["it is stale."]), policy).reasons == ("it is stale.",)


def test_waivers_are_listed(evidence, policy):
    signed = Signed(acts=(an_act("waiver", about="project", dimension="fairness", expires="2026-02-01"),))
    decision = decide(dataclasses.replace(with_drops(evidence, fairness=1.0), signed=signed), policy)
    assert decision.status == "approved"
    assert decision.waivers == ({"check": "regression_budget_fairness", "who": "Ada", "until": "2026-02-01"},)
    assert "Waived by Ada" in decision.notes[-1]


def test_json_round_trip_and_forged_status(evidence, policy):
    decision = decide(with_drops(evidence, safety=1.0), policy)
    assert from_json(decision.to_json()).digest == decision.digest
    forged = {**json.loads(decision.to_json()), "status": "approved", "reasons": []}
    with pytest.raises(StoreError, match="says approved, its own verdicts say rejected"):
        from_json(json.dumps(forged))
    for text in ("{}", "[]", "no", "null"):
        with pytest.raises(StoreError):
            from_json(text)


def test_holm_known_values():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})


def test_a_check_judged_twice_refuses(evidence, policy):
    twice = Verdict(check="task_floor", status="pass")
    decision = decide(dataclasses.replace(evidence, upstream={"task_floor": twice}), policy)
    assert decision.status == "not_certified"
    assert decision.reasons == ("task_floor was judged twice. Decide again.",)
