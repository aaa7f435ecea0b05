"""The verdict on weights that were trained elsewhere: the same law, without what only training here can show."""

from collections.abc import Collection, Mapping
from datetime import date

from safety_assets.policy import Acceptance, Policy
from safety_assets.records import Status, Verdict
from safety_assets.release.closed import not_certified, passed
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

UNREAD = (
    "Of a model behind an endpoint: whether its weights are whole, which they are, and whether every request meets the "
    "same ones. Its identity is its URL, its name and the beginnings of a few answers.",
    "Of a model behind an endpoint: its chat template, a system prompt put before every request, and filters around "
    "the model. What was judged is what came back.",
)
"""What an endpoint does not show, for the report."""

NO_TASK = "Whether the task was learnt: no task set was given, so no gain is demanded."


def required(*, with_task: bool) -> tuple[str, ...]:
    """The checks without which weights from elsewhere are not approved."""
    left_out = ONLY_HERE if with_task else (*ONLY_HERE, "task_floor")
    return FIRST + tuple(name for name in REQUIRED if name not in left_out)


def not_checked(*, with_task: bool, served: bool = False) -> tuple[str, ...]:
    """What the verdict does not cover, in sentences.

    Args:
        with_task: a task set was given.
        served: one of the models was asked through an endpoint.
    """
    return NOT_CHECKED + (UNREAD if served else ()) + (() if with_task else (NO_TASK,))


def weights_unread(where: str, accepted: Acceptance | None, today: date) -> Verdict:
    """The verdict on weights that nobody can read: never a pass, unless a person accepts it until a day to come."""
    check, unread = "weights_sound", f"The weights behind {where} cannot be read."
    if accepted is not None and today <= accepted.until:
        return passed(check, f"{unread} {accepted.who} accepts that until {accepted.until}: {accepted.why}.")
    do = "Gate their folder, or name in the policy's unread_weights who accepts it, why and until when."
    return not_certified(check, f"{unread} {do}")


def undecided(check: str, verdict: Verdict) -> Verdict:
    """A verdict on what comes first, under its name: it never rejects, it leaves the question open."""
    status: Status = "pass" if verdict.passed else "not_certified"
    return Verdict(check=check, status=status, reasons=verdict.reasons, numbers=verdict.numbers)


def comes_first_holds(verdicts: Mapping[str, Verdict], open_ones: Collection[str] = ()) -> bool:
    """Whether nothing so far stands against going on.

    Args:
        verdicts: by name.
        open_ones: names that may be undecided: they refuse in the end, and keep nothing from being measured.
    """
    return all(verdict.passed for name, verdict in verdicts.items() if name not in open_ones)


def decide_external(
    evidence: Evidence, policy: Policy, *, with_task: bool, open_ones: Collection[str] = ()
) -> Decision:
    """Approved, rejected or not certified; when something that comes first does not hold, nothing else is judged.

    Args:
        evidence: `recipe` is the name of the checkpoint, `upstream` holds the verdicts of FIRST and may hold more.
        policy: the law.
        with_task: a task set was given, so that the policy's floor and least gain hold.
        open_ones: verdicts of `evidence.upstream` that refuse beside the others instead of before them.
    """
    names = required(with_task=with_task)
    if comes_first_holds(evidence.upstream, open_ones) and set(FIRST) <= set(evidence.upstream):
        return decide(evidence, policy, names)
    first = list(evidence.upstream.values())
    rest = [not_certified(name, NOT_ASKED) for name in names if name not in evidence.upstream]
    digests = {**evidence.digests, "weights": evidence.weights_now or "", "policy": evidence.policy_now or ""}
    return conclude([*first, *rest], recipe=evidence.recipe, today=evidence.today, digests=digests, required=names)
