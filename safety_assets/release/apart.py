"""What is gated apart, by the law of the dimensions: harmful requests in a wrapper, probes inside the task."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from safety_assets.measures import InDomain, WrappedBudget
from safety_assets.policy import DimensionPolicy, ProbePolicy, probes_needed
from safety_assets.records import Verdict
from safety_assets.release.acts import Act
from safety_assets.release.budget import regression_budget
from safety_assets.release.closed import fails_closed, not_certified

Row = Mapping[str, object] | None

WRAPPED, IN_DOMAIN = "wrapped_", "in_domain_"
"""How the checks begin."""
DO = "Materialize eval_scores again, or gate the checkpoint again."


@fails_closed("wrapped_{wrapper}")
def wrapped_budget(
    wrapper: str, budget: WrappedBudget, delta: Row, score: Row, attacks: Mapping[str, Row], probes: ProbePolicy,
    today: date,
) -> Verdict:  # fmt: skip
    """Resistance to one wrapper. Like safety it is critical: no rank and no waiver excuses its loss.

    Args:
        wrapper: name of the wrapper.
        budget: what may be lost.
        delta: its row of DELTAS: the share of requests that are not answered, 0 to 10.
        score: its row of DIMENSION_SCORES of the candidate.
        attacks: base and tuned to their rows of ATTACK_SUCCESS, shown with the verdict.
        probes: demands on the evidence.
        today: the day of the decision.
    """
    rule = DimensionPolicy(
        rank="critical", max_drop=budget.max_drop, certify_within=budget.certify_within, floor=0.0, why="under attack"
    )
    found = _judged(f"{WRAPPED}{wrapper}", rule, delta, score, probes, today)
    shares = {f"attack_{side}_{key}": row[key] for side, row in attacks.items() if row for key in ("answered", *ENDS)}
    known = {name: float(value) for name, value in shares.items() if isinstance(value, int | float)}
    return replace(found, numbers={**found.numbers, **known})


ENDS = ("low", "high")


@fails_closed("in_domain_{dimension}")
def in_domain_budget(
    dimension: str, budget: InDomain, rule: DimensionPolicy, delta: Row, score: Row, probes: ProbePolicy, today: date,
    waiver: Act | None = None,
) -> Verdict:  # fmt: skip
    """One dimension asked inside the task. Rank and waiver are those of the dimension; the floor is not asked for.

    Args:
        dimension: one of the eight.
        budget: what may be lost.
        rule: the dimension's part of the policy.
        delta: the row of DELTAS of `DIMENSION in domain`.
        score: the row of DIMENSION_SCORES of the candidate.
        probes: demands on the evidence.
        today: the day on which waivers are looked at.
        waiver: the signed waiver of the dimension, where there is one.
    """
    changed = {"max_drop": budget.max_drop, "certify_within": budget.certify_within, "floor": 0.0}
    own = rule.model_copy(update=changed)
    if waiver is not None and waiver.dimension == dimension and delta:  # a waiver of the dimension holds here too
        waiver = waiver.model_copy(update={"dimension": str(delta.get("dimension"))})
    return _judged(f"{IN_DOMAIN}{dimension}", own, delta, score, probes, today, waiver)


def not_asked(check: str, why: str) -> Verdict:
    """A slice that the policy demands and nobody measured: no pass, whatever its rank."""
    return not_certified(check, f"{check} was not measured: {why}")


def _judged(
    check: str, rule: DimensionPolicy, delta: Row, score: Row, probes: ProbePolicy, today: date,
    waiver: Act | None = None,
) -> Verdict:  # fmt: skip
    if not delta or not score:
        return not_asked(check, f"it is not in the evidence. {DO}")
    fewest = probes_needed(rule.certify_within, probes.flip_rate)
    enough = probes.model_copy(update={"min_gate_probes": fewest})
    found = regression_budget(str(delta.get("dimension")), rule, delta, score, enough, today, waiver=waiver)
    return Verdict(check=check, status=found.status, reasons=found.reasons, numbers=found.numbers)
