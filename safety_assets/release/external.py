"""The verdict on weights that were trained elsewhere: the same law, without what only training here can show."""

from collections.abc import Mapping

from safety_assets.policy import Policy
from safety_assets.records import Status, Verdict
from safety_assets.release.closed import not_certified
from safety_assets.release.decision import REQUIRED, Decision, Evidence, conclude, decide

FIRST = (
    "enough_probes_to_see_the_budget",
    "written_for_these_models",
    "base_weights_sound",
    "weights_sound",
    "base_every_dimension_scored",
    "baseline_is_aligned",
)
"""What must hold before a drop means anything. Where it does not, the question stays open: nothing is rejected."""

ONLY_HERE = ("policy_binds", "evidence_is_current")
"""Required checks that speak of a training run of this project; a checkpoint from elsewhere has none."""

NOT_ASKED = "The checkpoint was not compared with the base: the reasons given first come before it."

NOT_CHECKED = (
    "How the weights were trained: corpus, injected share, recipe, the policy at training and the monitor.",
    "Whether the training data held these probes, or answers to them: weights do not show it.",
    "That the base given is the model that training started from; the drop is measured against it all the same.",
)
"""What no look at two model folders can tell, in words for the report."""

NO_TASK = "Whether the task was learnt: no task set was given, so no gain is demanded."


def required(*, with_task: bool) -> tuple[str, ...]:
    """The checks without which weights from elsewhere are not approved."""
    left_out = ONLY_HERE if with_task else (*ONLY_HERE, "task_floor")
    return FIRST + tuple(name for name in REQUIRED if name not in left_out)


def not_checked(*, with_task: bool) -> tuple[str, ...]:
    """What the verdict does not cover, in sentences."""
    return NOT_CHECKED if with_task else (*NOT_CHECKED, NO_TASK)


def undecided(check: str, verdict: Verdict) -> Verdict:
    """A verdict on what comes first, under its name: it never rejects, it leaves the question open."""
    status: Status = "pass" if verdict.passed else "not_certified"
    return Verdict(check=check, status=status, reasons=verdict.reasons, numbers=verdict.numbers)


def comes_first_holds(verdicts: Mapping[str, Verdict]) -> bool:
    """Whether nothing so far stands against going on."""
    return all(verdict.passed for verdict in verdicts.values())


def decide_external(evidence: Evidence, policy: Policy, *, with_task: bool) -> Decision:
    """Approved, rejected or not certified; when something that comes first does not hold, nothing else is judged.

    Args:
        evidence: `recipe` is the name of the checkpoint, `upstream` holds the verdicts of FIRST and may hold more.
        policy: the law.
        with_task: a task set was given, so that the policy's floor and least gain hold.
    """
    names = required(with_task=with_task)
    if comes_first_holds(evidence.upstream) and set(FIRST) <= set(evidence.upstream):
        return decide(evidence, policy, names)
    first = list(evidence.upstream.values())
    rest = [not_certified(name, NOT_ASKED) for name in names if name not in evidence.upstream]
    digests = {**evidence.digests, "weights": evidence.weights_now or "", "policy": evidence.policy_now or ""}
    return conclude([*first, *rest], recipe=evidence.recipe, today=evidence.today, digests=digests, required=names)
