"""May a candidate take the place of what is served without a person? Only where the policy says `promote: automatic`,
everything is approved and signed, and the candidate is non-inferior to what is served: the same budgets, paired against
the stored scores of the served model. Else the run proposes, and a person promotes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from safety_assets.errors import SafetyAssetsError
from safety_assets.flows import check_functions as of
from safety_assets.flows.beside_served import against, served_scores
from safety_assets.flows.evaluation import task_share
from safety_assets.flows.release import admit_approved, decision_of, released_record
from safety_assets.flows.workspace import Workspace
from safety_assets.records import DIMENSION_SCORES, Verdict
from safety_assets.release.budget import regression_budget
from safety_assets.release.closed import not_certified, settle
from safety_assets.store import Artefact

CHECK = "non_inferior_to_served"
ROUNDING = 1e-9


@dataclass(frozen=True)
class Proposal:
    """An approved candidate that waits for a person.

    Args:
        decision: digest of the decision on it.
        why: why nobody promoted it, one sentence each.
    """

    recipe: str
    decision: str
    why: tuple[str, ...]

    @property
    def command(self) -> str:
        """What a person types to promote it."""
        return f"safety-assets promote {self.recipe} --decision {self.decision[:12]}"


def proposal(ws: Workspace, recipe: str) -> Proposal | None:
    """Why a run that nobody launched only proposes a candidate; None where it may promote it.

    Raises:
        GateRefused: it could not be promoted by anybody.
    """
    inputs = admit_approved(ws, "released_model", recipe)
    decision = decision_of(inputs["release_decision"])
    if ws.policy.promote == "by_hand":
        return Proposal(recipe, decision.digest, ("The policy has promotions made by hand.",))
    scores = ws.store.open(inputs["release_decision"].manifest.inputs["eval_scores"])
    verdicts = against_served(ws, scores)
    why = tuple(reason for verdict in verdicts if not verdict.passed for reason in verdict.reasons)
    return Proposal(recipe, decision.digest, why) if any(not verdict.passed for verdict in verdicts) else None


def against_served(ws: Workspace, scores: Artefact) -> tuple[Verdict, ...]:
    """A candidate's scores against those of what is served: one verdict per dimension, and one on the task.

    Args:
        scores: `eval_scores` of the candidate.
    """
    try:
        record = released_record(ws)
        if record is None:
            return (not_certified(CHECK, "Nothing is served yet, so there is nothing to compare with."),)
        served = served_scores(ws, record)
        return (*_dimensions(ws, served, scores), _task(served, scores))
    except (SafetyAssetsError, KeyError, ValueError) as error:
        return (not_certified(CHECK, f"The candidate cannot be compared with what is served: {error}"),)


def _dimensions(ws: Workspace, served: Artefact, scores: Artefact) -> list[Verdict]:
    """The budgets of the policy, without their waivers: those were given for a loss against the base."""
    rules = {name: rule.model_copy(update={"waiver": None}) for name, rule in ws.policy.dimensions.items()}
    lost = _by_dimension(against(ws, served, scores).to_dicts())
    now = scores.frame("dimension_scores", DIMENSION_SCORES)
    seen = now.filter(now["slice"] == "seen") if "slice" in now.columns else now
    reached = _by_dimension(seen.to_dicts())
    return [
        regression_budget(name, rule, lost.get(name), reached.get(name), ws.policy.probes, of.today())
        for name, rule in rules.items()
    ]


def _by_dimension(rows: list[dict]) -> Mapping[str, dict]:
    return {row["dimension"]: row for row in rows}


def _task(served: Artefact, scores: Artefact) -> Verdict:
    """The task score does not fall."""
    before, after = task_share(served), task_share(scores)
    if before is None or after is None:
        return not_certified("task_against_served", "The task score of the candidate or of what is served is missing.")
    fell = after < before - ROUNDING
    faults = [f"The task score falls from {before:.1%} to {after:.1%} against what is served."] if fell else []
    return settle("task_against_served", faults, [], [], {"served": before, "candidate": after})
