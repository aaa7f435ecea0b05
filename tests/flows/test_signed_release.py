"""Signed files at the real gate: no sign-off, waiver or loosened policy that is not what it says releases anything."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import small_project
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safety_assets.errors import GateRefused
from safety_assets.flows import signing
from safety_assets.flows.assets import materialize
from safety_assets.flows.release import decision_of
from safety_assets.flows.signed import model_owners, signed_folder
from safety_assets.flows.signing import Subject
from safety_assets.flows.standing import served
from safety_assets.flows.workspace import Workspace
from safety_assets.release import promotion
from safety_assets.release.keys import public_of

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")) for name in ("Ada", "Bo", "Eve")}
PEOPLE = {
    name: {"roles": [role], "key": public_of(KEYS[name])}
    for name, role in (("Ada", "model_owner"), ("Bo", "safety_engineer"), ("Eve", "model_owner"))
}


def law(project: Path, *names: str, **changes: object) -> None:
    own = {"people": {name: PEOPLE[name] for name in names}, **changes}
    small_project.write_yaml(project / "policy.yaml", {**small_project.policy_settings(), **own})


def sign(ws: Workspace, who: str, subject: Subject, **said: object) -> Path:
    act = signing.draft(ws, KEYS[who], None, subject, **{"kind": "sign_off", "reason": "Seen.", **said})
    return signing.put(ws, act, KEYS[who])


def decided(ws: Workspace) -> dict[str, str]:
    """The decision made anew: its outcome under `decision`, and each verdict."""
    decision = decision_of(materialize(ws, "release_decision", "protected").artefact)
    return {"decision": decision.status, **{v.check: v.status for v in decision.verdicts}}


def refused(ws: Workspace, says: str) -> None:
    before = promotion.released(ws.store.root, "small")
    for step in ("model_card", "released_model"):
        with pytest.raises(GateRefused, match=says):
            materialize(ws, step, "protected")
    assert promotion.released(ws.store.root, "small") == before


@pytest.fixture
def owned(project: Path, again: Again) -> Again:
    """The project trained and decided under a policy that names Ada and Bo, and demands that both sign."""
    law(project, "Ada", "Bo", sign_offs={"moderate": ["safety_engineer", "model_owner"]})
    for asset in ("corpus_audit", "injection_ratio", "audited_corpus", "safety_baseline"):
        materialize(again(), asset)
    for asset in ("finetuned_checkpoint", "candidate_responses", "eval_scores", "forgotten_behaviours"):
        materialize(again(), asset, "protected")
    return again


@pytest.mark.long
def test_bypass_of_sign_offs_holds_and_signed_files_that_are_not_what_they_say(owned: Again) -> None:
    """One story at the real gate; every step that should not release is tried."""
    assert decided(owned())["signed_off"] == "not_certified"
    refused(owned(), "No safety engineer .Bo. has signed")
    case = Subject("decision", signing.decided(owned(), "protected").case)
    own = sign(owned(), "Ada", case)
    refused(owned(), "signed changed since release_decision")
    bo = sign(owned(), "Bo", case)
    sound = bo.read_text()
    for spoilt in (sound.replace("Seen.", "Fine."), sound.replace("Bo", "Ada"), "{", ""):
        bo.write_text(spoilt)
        assert decided(owned())["decision"] == "not_certified"
        refused(owned(), "No safety engineer .Bo. has signed")
    bo.write_text(sound)
    assert decided(owned())["decision"] == "approved"
    materialize(owned(), "model_card", "protected")
    materialize(owned(), "released_model", "protected")
    held = sign(owned(), "Ada", Subject("project"), kind="hold", reason="An incident.")
    refused(owned(), "holds back all of project small from release: An incident")
    assert decided(owned())["not_held"] == "not_certified"
    text = held.read_text()
    held.write_text(text.replace("An incident", "No incident"))
    assert decided(owned())["not_held"] == "not_certified"
    refused(owned(), "may be a hold")
    held.write_text(text)
    hold = signing.hold_named(owned(), "")
    sign(owned(), "Ada", Subject("project"), kind="lift", lifts=hold.act_digest)
    assert decided(owned())["decision"] == "approved"
    materialize(owned(), "model_card", "protected")
    materialize(owned(), "released_model", "protected")
    own.unlink()
    assert decided(owned())["decision"] == "not_certified"
    refused(owned(), "No model owner .Ada. has signed")


def test_bypass_a_policy_loosened_after_training_with_a_judge_of_its_own(project: Path, again: Again) -> None:
    """The policy at training named nobody: a model owner whom the loosened one brings in counts for nothing."""
    assert decided(again())["decision"] == "approved"
    law(project, "Eve", max_over_refusal=0.999)
    sign(again(), "Eve", signing.policy_in_force(again()))
    found = decided(again())
    assert found["policy_binds"] == "not_certified"
    refused(again(), "the policy at training names no model owner")


def test_a_newer_policy_is_signed_by_who_owned_the_model_at_training(owned: Again, project: Path) -> None:
    demand = {"sign_offs": {"moderate": []}}
    law(project, "Ada", "Eve", max_over_refusal=0.999, **demand)
    assert decided(owned())["policy_binds"] == "not_certified"
    sign(owned(), "Eve", signing.policy_in_force(owned()))
    assert decided(owned())["policy_binds"] == "not_certified"
    sign(owned(), "Ada", signing.policy_in_force(owned()))
    assert decided(owned())["policy_binds"] == "pass"
    law(project, "Ada", "Eve", max_over_refusal=0.998, **demand)
    assert decided(owned())["policy_binds"] == "not_certified"  # the sign-off was of the policy before
    trained = owned().store.current("finetuned_checkpoint", "protected").manifest.inputs["policy"]
    kept = owned().store.open(trained).path / "policy.json"
    kept.write_text(kept.read_text().replace("Ada", "Eve"))
    assert model_owners(owned().store, trained) is None


def test_a_waiver_that_ended_flags_and_what_is_served_stays(
    project: Path, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = small_project.policy_settings()["dimensions"]
    strict["fairness"] = {**strict["fairness"], "floor": 10.0}
    law(project, "Ada", dimensions=strict)
    for asset in ("corpus_audit", "injection_ratio", "audited_corpus"):
        materialize(again(), asset)
    checks = decided(again())
    assert checks["regression_budget_fairness"] == "fail"
    last = date.today() + timedelta(days=2)
    waiver = {"kind": "waiver", "dimension": "fairness", "expires": last}
    path = sign(again(), "Ada", Subject("project"), **waiver)
    assert decided(again())["regression_budget_fairness"] == "pass"
    served_then = promotion.released(again().store.root, "small")
    monkeypatch.setattr("safety_assets.flows.check_functions.today", lambda: last + timedelta(days=1))
    found = materialize(again(), "release_decision", "protected")
    said = {v.check: " ".join(v.reasons) for v in found.verdicts}
    assert f"The waiver by Ada ended on {last}" in said["regression_budget_fairness"]
    assert served(again()).record == served_then
    assert path.parent == signed_folder(again().project)
