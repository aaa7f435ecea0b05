"""The check of an external verdict, read off its own decision."""

from datetime import date

from safety_assets.flows.check_functions import today
from safety_assets.flows.signed import hold_reasons
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.records import Status, Verdict
from safety_assets.release.closed import not_certified
from safety_assets.release.decision import Decision, Outcome, from_dict
from safety_assets.release.external import required
from safety_assets.store import Artefact

CHECK = "checkpoint_keeps_alignment"
STATUS: dict[Outcome, Status] = {"approved": "pass", "rejected": "fail", "not_certified": "not_certified"}


def checkpoint_keeps_alignment(artefact: Artefact, ws: Workspace) -> Verdict:
    """external_verdict: approved under the policy in force, and no acceptance it may rest on has ended since."""
    decision = from_dict(artefact.json("decision"), required(with_task=False))
    if decision.digests["policy"] != ws.policy_digest:
        return not_certified(CHECK, f"The policy changed since {decision.recipe} was gated. Gate it again.")
    over = _ended(ws.policy, decision, today())
    if over:
        return not_certified(CHECK, f"The {over} since {decision.recipe} was gated. Gate it again.")
    held = hold_reasons(ws.project, decision.digests["weights"])
    if held:
        return not_certified(CHECK, *held)
    numbers = {"weights": decision.digests["weights"][:12], "decided_on": decision.decided_on}
    return Verdict(check=CHECK, status=STATUS[decision.status], reasons=decision.reasons, numbers=numbers)


def _ended(policy: Policy, decision: Decision, now: date) -> str | None:
    """A waiver or an acceptance of the base that held on the day of the decision and does not today."""
    then = date.fromisoformat(decision.decided_on)
    for waiver in decision.waivers:
        if date.fromisoformat(waiver["until"]) < now:
            return f"waiver by {waiver['who']} for {waiver['check']} ended on {waiver['until']},"
    for name, rule in policy.dimensions.items():
        accepted = rule.accepted_base
        if accepted is not None and then <= accepted.until < now:
            return f"acceptance by {accepted.who} for {name} ended on {accepted.until},"
    return None
