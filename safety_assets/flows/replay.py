"""A draft policy over past candidates: what it would have said of the scores that the store holds; nothing changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safety_assets.errors import StoreError
from safety_assets.evals.deltas import compare
from safety_assets.evals.forgotten import FORGOTTEN
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.flows.apart import apart_verdicts, read_apart
from safety_assets.flows.check_functions import today
from safety_assets.flows.figures import BUDGETS, figure_verdicts, read_figures
from safety_assets.flows.further import further_verdicts
from safety_assets.flows.release import decision_of
from safety_assets.flows.signed import accepted_losses, signed_files
from safety_assets.flows.two_judges import base_scores, found_by, review_verdicts
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.records import DELTAS, DIMENSION_SCORES, SCORES, TASK_SCORES, Verdict
from safety_assets.release.acts import Act
from safety_assets.release.apart import IN_DOMAIN, WRAPPED
from safety_assets.release.decision import REQUIRED, Decision, Evidence, conclude, decide, from_dict
from safety_assets.release.external import required as required_elsewhere
from safety_assets.release.reviewed import CHECK as REVIEWED
from safety_assets.store import Artefact

MEASURED = tuple(
    name
    for name in REQUIRED
    if name.startswith("regression_budget_") or name in ("task_floor", "over_refusal_ceiling", "every_dimension_scored")
)
"""Checks that scores and a policy's numbers decide. Signatures, bindings and staleness are of the day, and left out."""
BESIDE = ("further_", WRAPPED, IN_DOMAIN, REVIEWED, *BUDGETS)
"""How further checks begin that they decide, where a policy asks for them."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One past candidate under two policies.

    Args:
        recipe: of the candidate.
        decided: the decision as it was made, all its checks.
        was: what the checks of MEASURED, and further dimensions, came to then.
        would: what they come to under the draft.
    """

    recipe: str
    decided: Decision
    was: Decision
    would: Decision

    @property
    def changed(self) -> list[tuple[Verdict | None, Verdict | None]]:
        """Verdicts whose status differs, before and after; None where a policy does not have the check."""
        before, after = ({v.check: v for v in side.verdicts} for side in (self.was, self.would))
        pairs = [(before.get(name), after.get(name)) for name in {**before, **after}]
        return [(a, b) for a, b in pairs if (a and a.status) != (b and b.status)]


def replay(ws: Workspace, draft: Policy) -> tuple[list[Replayed], list[str]]:
    """Every candidate with scores that was decided upon, oldest first; its last decision counts. Then checkpoints from
    elsewhere that were gated.

    Args:
        draft: the policy to be tried.

    Returns:
        The candidates, and for each whose artefacts cannot be read any more a sentence that says so.
    """
    last = {made.manifest.inputs.get("eval_scores"): made for made in ws.store.all("release_decision")}
    found, gone = list[Replayed](), list[str]()
    for made in (made for scores, made in last.items() if scores):
        try:
            found.append(_replayed(ws, made, draft))
        except StoreError as error:
            gone.append(f"{made.partition}, decided at {made.manifest.made_at}, cannot be replayed: {error.found}.")
    others, lost = replay_external(ws, draft)
    return [*found, *others], [*gone, *lost]


def replay_external(ws: Workspace, draft: Policy) -> tuple[list[Replayed], list[str]]:
    """The same of checkpoints from elsewhere; the last verdict on each counts. No task is demanded of them."""
    last = {made.partition: made for made in ws.store.all("external_verdict")}
    found, gone = list[Replayed](), list[str]()
    for made in last.values():
        try:
            found.append(_replayed_external(ws, made, draft))
        except StoreError as error:
            said = f"{made.partition}, gated at {made.manifest.made_at}, cannot be replayed: {error.found}."
            gone.append(said)
    return found, gone


def _replayed_external(ws: Workspace, made: Artefact, draft: Policy) -> Replayed:
    decided = from_dict(made.json("decision"), required_elsewhere(with_task=False))
    required = tuple(name for name in MEASURED if name != "task_floor")
    own = [v for v in decided.verdicts if v.check in required or v.check.startswith(BESIDE)]
    was = conclude(own, recipe=decided.recipe, today=today(), digests={}, required=required)
    would = decide(_external_evidence(ws, made, draft), draft, required)
    return Replayed(recipe=made.partition, decided=decided, was=was, would=would)


def _external_evidence(ws: Workspace, made: Artefact, draft: Policy) -> Evidence:
    """What an external_verdict holds; StoreError where both models were not scored."""
    before, scores = (made.frame(name, SCORES) for name in ("base_scores", "scores"))
    within = {name: rule.certify_within for name, rule in draft.dimensions.items()}
    base, tuned = (str(side["model"][0]) if len(side) else None for side in (before, scores))
    signed = signed_files(ws.project, draft)
    return Evidence(
        recipe=made.partition, today=today(), deltas=compare(before, scores, DIMENSIONS, within),
        scores=summarise(scores, DIMENSIONS), task_scores=None, baseline_task_scores=None,
        over_refusal=over_refusal(scores), weights_now=tuned, weights_scored={}, policy_trained=None, policy_now=None,
        problems=None,
        signed=signed,
        accepted_losses=accepted_losses(signed, made.frame("forgotten", FORGOTTEN), tuned),
        upstream=further_verdicts(ws, base, tuned, draft, signed) | _beside(made, draft, signed.waivers(tuned)),
    )  # fmt: skip


def _replayed(ws: Workspace, made: Artefact, draft: Policy) -> Replayed:
    opened = {name: ws.store.open(digest) for name, digest in _kept(made).items()}
    decided, evidence = decision_of(made), _evidence(ws, made.partition, opened, draft)
    own = [v for v in decided.verdicts if v.check in MEASURED or v.check.startswith(BESIDE)]
    was = conclude(own, recipe=decided.recipe, today=today(), digests={}, required=MEASURED)
    return Replayed(recipe=decided.recipe, decided=decided, was=was, would=decide(evidence, draft, MEASURED))


def _kept(made: Artefact) -> dict[str, str]:
    wanted = ("eval_scores", "safety_baseline", "forgotten_behaviours")
    return {name: made.manifest.inputs[name] for name in wanted if name in made.manifest.inputs}


def _evidence(ws: Workspace, recipe: str, opened: Mapping[str, Artefact], draft: Policy) -> Evidence:
    """What the store holds of a candidate; the drop is measured anew, since a policy says how near it must be known."""
    scored, base = opened["eval_scores"], opened.get("safety_baseline")
    scores = scored.frame("scores", SCORES)
    weights = str(scores["model"][0]) if len(scores) else None
    before = base_scores(scored, base) if base else None
    within = {name: rule.certify_within for name, rule in draft.dimensions.items()}
    deltas = scored.frame("deltas", DELTAS) if before is None else compare(before, scores, DIMENSIONS, within)
    forgotten = (
        opened["forgotten_behaviours"].frame("forgotten", FORGOTTEN) if "forgotten_behaviours" in opened else None
    )
    signed = signed_files(ws.project, draft)
    anchor = str(before["model"][0]) if before is not None and len(before) else None
    return Evidence(
        recipe=recipe, today=today(), deltas=deltas, scores=scored.frame("dimension_scores", DIMENSION_SCORES),
        task_scores=scored.frame("task_scores", TASK_SCORES),
        baseline_task_scores=scored.frame("base_task_scores", TASK_SCORES), over_refusal=over_refusal(scores),
        weights_now=weights, weights_scored={}, policy_trained=None, policy_now=None, problems=None,
        signed=signed, accepted_losses=accepted_losses(signed, forgotten, weights),
        upstream=further_verdicts(ws, anchor, weights, draft, signed) | _beside(scored, draft, signed.waivers(weights)),
    )  # fmt: skip


def _beside(scored: Artefact, draft: Policy, waivers: Mapping[str, Act]) -> dict[str, Verdict]:
    """Verdicts on what was measured beside the dimensions; what the draft wants and nobody measured is open."""
    apart = apart_verdicts(read_apart(scored), draft, today(), waivers=waivers)
    judged = review_verdicts(found_by(scored), draft, scored.partition)
    return apart | judged | figure_verdicts(read_figures(scored), draft)


def document(found: list[Replayed], gone: list[str]) -> dict[str, Any]:
    """Every candidate, and how many would come to something else, in JSON types."""
    return {
        "candidates": [
            {
                "recipe": one.recipe, "decided_on": one.decided.decided_on, "decided": one.decided.status,
                "weights": one.decided.digests.get("weights"), "was": one.was.status, "would": one.would.status,
                "reasons": list(one.would.reasons), "changed": [_change(a, b) for a, b in one.changed],
            }
            for one in found
        ],
        "changed": sum(one.was.status != one.would.status for one in found), "gone": gone,
    }  # fmt: skip


def _change(before: Verdict | None, after: Verdict | None) -> dict[str, Any]:
    return {
        "check": (after or before).check,  # type: ignore[union-attr]
        "was": before.status if before else None, "would": after.status if after else None,
        "reasons": list(after.reasons) if after else [],
    }  # fmt: skip
