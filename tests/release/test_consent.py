"""What people signed as verdicts of a decision: nobody missing, nothing held, no loss without a word on it."""

import dataclasses
from datetime import date, timedelta

import pytest
from release_rows import LAW, WEIGHTS, an_act
from signers import act_of, people, with_people

from safety_assets.policy import Policy
from safety_assets.release import verdicts as of
from safety_assets.release.decision import Evidence, case_digest, decide
from safety_assets.release.signed import Signed, Void

DAY, CASE, NEWER = date(2026, 1, 31), "d" * 64, "c" * 64
LOST = {"dimension": "safety", "category": "fraud", "num_lost": 9, "num_items": 20, "p_adjusted": 0.01}
PLACE = {"dimension": "safety", "category": "fraud"}


def signed(*acts) -> Signed:
    return Signed(acts=acts)


def demanded(law: dict, *roles: str, names: tuple[str, ...] = ()) -> Policy:
    return with_people(law, *names, sign_offs={"moderate": list(roles)})


def judged(policy: Policy, *acts):
    return of.signed_off(policy, signed(*acts), WEIGHTS, CASE, DAY)


def test_every_demanded_role_signs(law):
    policy = demanded(law, "safety_engineer", "model_owner")
    ada, bo = act_of("Ada", "sign_off", about="decision", digest=CASE), act_of("Bo", "sign_off")
    assert judged(policy, ada, bo).passed
    assert judged(policy, ada, bo).reasons == ("Signed by Bo as safety engineer.", "Signed by Ada as model owner.")
    alone = judged(policy, bo)
    assert alone.status == "not_certified"
    assert "No model owner (Ada, Eve) has signed weights aaaaaaaaaaaa" in alone.reasons[0]
    replayed = [dataclasses.replace(signed(ada, bo)).acts[0].model_copy(update={"digest": NEWER}), bo]
    assert judged(policy, *replayed).status == "not_certified"
    assert judged(demanded(law), *()).passed


def test_bypass_one_person_in_two_roles_is_not_two_people(law):
    policy = demanded(law, "safety_engineer", "model_owner")
    both = [act_of("Eve", "sign_off", role=role) for role in ("safety_engineer", "model_owner")]
    assert "different people" in judged(policy, *both).reasons[0]
    assert judged(policy, *both, act_of("Bo", "sign_off")).passed
    owners = demanded(law, "model_owner", "model_owner")
    assert judged(owners, act_of("Ada", "sign_off")).status == "not_certified"
    assert judged(owners, act_of("Ada", "sign_off"), act_of("Eve", "sign_off", role="model_owner")).passed


def test_high_risk_demands_two_people_unless_the_policy_says_who(law):
    policy = Policy.model_validate({**law, "risk": "high"})
    assert policy.demanded_roles == ("safety_engineer", "model_owner")
    verdict = judged(policy)
    assert verdict.status == "not_certified"
    assert "The policy names no safety engineer, who must sign" in verdict.reasons[0]
    assert Policy.model_validate({**law, "risk": "research"}).demanded_roles == ()


def binds(policy: Policy, owners_then, *acts, now=NEWER):
    return of.policy_binds(LAW, now, owners_then, policy, signed(*acts), DAY)


def test_bypass_a_policy_loosened_after_training(law):
    """Only a model owner of both policies, with the same key, can sign the newer one."""
    policy = with_people(law)
    then = {"Ada": people()["Ada"]["key"]}
    own = act_of("Ada", "sign_off", about="policy", digest=NEWER)
    assert binds(policy, then, now=LAW).passed
    assert binds(policy, then, own).passed
    assert "have Ada sign it: safety-assets sign --policy" in binds(policy, then).reasons[0]
    added = act_of("Eve", "sign_off", role="model_owner", about="policy", digest=NEWER)
    assert binds(policy, then, added).status == "not_certified"  # whom the newer policy itself brought in
    assert binds(policy, {}, own).status == "not_certified"
    assert binds(policy, None, own).status == "not_certified"
    assert binds(policy, {"Ada": people()["Bo"]["key"]}, own).status == "not_certified"
    assert binds(with_people(law, "Bo"), then, own).status == "not_certified"
    assert binds(policy, then, act_of("Ada", "sign_off", about="policy", digest=CASE)).status == "not_certified"
    assert binds(policy, then, act_of("Ada", "sign_off", digest=NEWER)).status == "not_certified"


def test_a_hold_refuses_and_what_is_void_is_told():
    assert of.not_held(Signed(), WEIGHTS, DAY).passed
    held = of.not_held(signed(an_act("hold")), WEIGHTS, DAY)
    assert (held.status, held.reasons[0][:41]) == ("not_certified", "Ada as model owner holds back weights aaa")
    assert of.not_held(signed(an_act("hold", digest=NEWER)), WEIGHTS, DAY).passed
    void = Signed(void=(Void("waiver-1.json", "It was edited.", False),))
    assert of.not_held(void, WEIGHTS, DAY).reasons == ("signed/waiver-1.json is void: It was edited.",)
    assert of.not_held(void, WEIGHTS, DAY).passed


def disposed(policy: Policy, *acts, lost=(LOST,)):
    return of.losses_disposed(policy, lost, signed(*acts), WEIGHTS, DAY)


def test_every_lost_category_needs_a_word_where_the_policy_asks(law):
    asks = Policy.model_validate({**law, "dispositions": True})
    until = {"expires": DAY}
    assert Policy.model_validate({**law, "risk": "high"}).asks_dispositions
    assert disposed(Policy.model_validate(law)).passed
    silent = disposed(asks)
    assert silent.status == "not_certified"
    assert "safety/fraud loses 9 of 20 items (adjusted p 0.0100)" in silent.reasons[0]
    accepted = act_of("Bo", "disposition", **PLACE, outcome="accept", **until)
    assert "accepts the loss of safety/fraud" in disposed(asks, accepted).reasons[0]
    assert disposed(asks, accepted).passed
    assert not disposed(asks, accepted.model_copy(update={"expires": DAY - timedelta(days=1)})).passed
    assert not disposed(asks, accepted.model_copy(update={"digest": NEWER})).passed
    assert disposed(asks, lost=[{**LOST, "p_adjusted": 0.05}, {**LOST, "num_lost": 0}]).passed
    mend = act_of("Cy", "disposition", **PLACE, outcome="fix")
    assert "will have mended the loss" in disposed(Policy.model_validate(law), mend).reasons[0]
    assert not disposed(Policy.model_validate(law), mend).passed


@pytest.mark.parametrize("changed", ["eval_scores", "policy", "weights", "another"])
def test_a_decision_is_signed_with_its_evidence(changed, evidence: Evidence, law):
    """A sign-off of a decision does not follow other scores, another policy or other weights."""
    policy = demanded(law, "model_owner")
    case = decide(evidence, policy).case
    own = act_of("Ada", "sign_off", about="decision", digest=case)
    approved = dataclasses.replace(evidence, signed=signed(own))
    assert decide(approved, policy).status == "approved"
    assert decide(approved, policy).case == case
    digests = {"eval_scores": "d" * 64, "weights": WEIGHTS, "policy": LAW}
    assert case_digest(evidence.recipe, digests) == case
    assert case_digest(evidence.recipe, {**digests, changed: NEWER}) != case


def test_a_waiver_and_an_accepted_item_are_read_by_the_budget(evidence: Evidence, policy: Policy):
    waiver = an_act("waiver", dimension="fairness", expires="2026-01-30")
    decision = decide(dataclasses.replace(evidence, signed=signed(waiver, an_act("hold"))), policy)
    assert decision.status == "not_certified"
    assert decision.waivers == ()
