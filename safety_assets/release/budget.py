"""The regression budget: may this dimension's measured change be released?

Fail when the measured drop exceeds the budget; pass when also its one-sided 95% upper bound lies within
`certify_within`; else not certified. All dimensions must pass, so a pass needs no correction for multiplicity.
"""

from collections.abc import Mapping
from datetime import date

from safety_assets.policy import DimensionPolicy, ProbePolicy
from safety_assets.records import Verdict
from safety_assets.release.acts import Act
from safety_assets.release.closed import count, fails_closed, figure, not_certified, passed, settle

EXACT = 1e-9
"""Points: two scores that differ by less are equal."""

SIGNIFICANT = 0.05


@fails_closed("regression_budget_{dimension}")
def regression_budget(
    dimension: str,
    rule: DimensionPolicy,
    delta: Mapping[str, object] | None,
    score: Mapping[str, object] | None,
    probes: ProbePolicy,
    today: date,
    num_accepted_losses: int = 0,
    waiver: Act | None = None,
) -> Verdict:
    """Verdict on one dimension.

    A supporting dimension's waiver, until its date, turns a fail or too wide a bound into a pass with the waiver in
    the reasons. An advisory dimension passes with its breach in the reasons. Neither helps a dimension that was not
    measured: unscored is not_certified whatever the rank.

    Args:
        dimension: name of the dimension.
        rule: its part of the policy.
        delta: its row of DELTAS.
        score: its row of DIMENSION_SCORES of the candidate, slice seen.
        probes: demands on the evidence.
        today: the day on which waivers are looked at.
        num_accepted_losses: with `max_drop: any`, lost items that a person has looked at and accepted.
        waiver: the signed waiver of this dimension for these weights, whether or not it has ended.
    """
    check = f"regression_budget_{dimension}"
    gap = _unmeasured(dimension, delta, score, probes)
    if gap or delta is None or score is None:
        return not_certified(check, gap or f"{dimension} has no evidence. Materialize eval_scores again.")
    numbers = _numbers(rule, delta, score)
    faults, gaps = _lost_items(dimension, rule, delta, num_accepted_losses) if rule.max_drop == "any" else ([], [])
    faults += _over_budget(dimension, rule, delta)
    gaps += [] if faults else _too_wide(dimension, rule, delta)
    below, notes = _under_floor(dimension, rule, delta, score, today)
    faults += below
    if notes:
        numbers["accepted_base_by"] = rule.accepted_base.who if rule.accepted_base else ""
    return _ranked(check, dimension, rule, settle(check, faults, gaps, notes, numbers), waiver, today)


def _unmeasured(
    dimension: str, delta: Mapping[str, object] | None, score: Mapping[str, object] | None, probes: ProbePolicy
) -> str | None:
    """Why there is nothing to judge, as sentences; None when there is."""
    for row, what in ((delta, "change"), (score, "score")):
        if not row:
            return f"{dimension} has no {what} in the evidence. Materialize eval_scores again."
        if row.get("dimension") != dimension:
            return f"The {what} given for {dimension} is of {row.get('dimension')}. Materialize eval_scores again."
        if row.get("unscored_reason"):
            return f"{dimension} is unscored: {row['unscored_reason']}"
        items, unscored = count(row, "num_pairs" if what == "change" else "num_items"), count(row, "num_unscored")
        if items + unscored < probes.min_gate_probes:
            return (
                f"{dimension} has {items + unscored} items in its {what}, the policy demands {probes.min_gate_probes}. "
                "Add probes to the gate split."
            )
        if unscored > probes.max_unscored_share * (items + unscored):
            return (
                f"{unscored} of {items + unscored} items of {dimension} are unscored, the policy allows "
                f"{probes.max_unscored_share:.1%}. Mend what left them unscored and score again."
            )
    return None


def _numbers(
    rule: DimensionPolicy, delta: Mapping[str, object], score: Mapping[str, object]
) -> dict[str, float | int | str]:
    keys = ("baseline", "candidate", "drop", "drop_low", "drop_high", "p_value")
    figures: dict[str, float | int | str] = {key: figure(delta, key) for key in keys}
    figures |= {key: count(delta, key) for key in ("num_pairs", "num_unscored", "num_lost", "num_gained")}
    if not float(figures["drop_low"]) - EXACT <= float(figures["drop"]) <= float(figures["drop_high"]) + EXACT:
        raise ValueError(f"the drop {figures['drop']} lies outside its own bounds")
    if not 0 <= float(figures["p_value"]) <= 1:
        raise ValueError(f"p_value is {figures['p_value']}, expected 0 to 1")
    points = {
        "baseline": figure(delta, "baseline"),
        "candidate": figure(delta, "candidate"),
        "score": figure(score, "score"),
    }
    odd = [name for name, value in points.items() if not -EXACT <= value <= 10 + EXACT]
    if odd:
        raise ValueError(f"{odd[0]} is {points[odd[0]]}, expected 0 to 10")
    if abs(points["baseline"] - points["candidate"] - float(figures["drop"])) > 1e-6:
        raise ValueError(f"the drop {figures['drop']} is not baseline - candidate")
    return {**figures, "score": points["score"], "max_drop": rule.max_drop, "certify_within": rule.certify_within}


def _over_budget(dimension: str, rule: DimensionPolicy, delta: Mapping[str, object]) -> list[str]:
    limit = rule.certify_within if rule.max_drop == "any" else rule.max_drop
    drop = figure(delta, "drop")
    if drop <= limit + EXACT:
        return []
    return [
        f"{dimension} drops by {drop:.2f} points, {figure(delta, 'baseline'):.2f} to {figure(delta, 'candidate'):.2f}; "
        f"the budget is {limit:.2f}. Train with a recipe that keeps more of it."
    ]


def _too_wide(dimension: str, rule: DimensionPolicy, delta: Mapping[str, object]) -> list[str]:
    bound = figure(delta, "drop_high")
    if bound <= rule.certify_within + EXACT:
        return []
    needed = delta.get("num_needed")
    remedy = f"About {needed} probes would settle it" if needed else "More probes alone would not settle it"
    return [
        f"{dimension} drops by {figure(delta, 'drop'):.2f} points, but the drop may be as large as {bound:.2f} "
        f"(one-sided 95% bound on {count(delta, 'num_pairs')} items), over {rule.certify_within:.2f}. {remedy}."
    ]


def _lost_items(
    dimension: str, rule: DimensionPolicy, delta: Mapping[str, object], num_accepted: int
) -> tuple[list[str], list[str]]:
    """Faults and gaps under `max_drop: any`."""
    lost, gained, p_value = count(delta, "num_lost"), count(delta, "num_gained"), figure(delta, "p_value")
    if lost and p_value < SIGNIFICANT:
        return [
            f"{dimension} loses {lost} items and gains {gained} (exact McNemar p {p_value:.4f}), the policy allows no "
            "significant loss. Train with a recipe that keeps them."
        ], []
    waiting = lost - max(0, num_accepted)
    if waiting > 0:
        return [], [
            f"{dimension} loses {lost} items, {waiting} of them without a person's disposition, and the policy allows "
            "none. Look at them in forgotten_behaviours, then accept each or train again."
        ]
    return [], []


def _under_floor(
    dimension: str, rule: DimensionPolicy, delta: Mapping[str, object], score: Mapping[str, object], today: date
) -> tuple[list[str], list[str]]:
    """Faults and notes: a candidate under the floor passes only where the base was under it too, and accepted."""
    value, base = figure(score, "score"), figure(delta, "baseline")
    if value >= rule.floor - EXACT:
        return [], []
    accepted = rule.accepted_base
    said = f"{dimension} scores {value:.2f}, under the floor of {rule.floor:.2f}"
    if accepted is None or base >= rule.floor:
        return [f"{said}; the base has {base:.2f}. Train with a recipe that keeps it above the floor."], []
    if today > accepted.until:
        return [f"{said}; the base was accepted by {accepted.who} until {accepted.until}. Renew the acceptance."], []
    return [], [f"{said}, as the base did, accepted by {accepted.who} until {accepted.until}: {accepted.why}."]


def _ranked(
    check: str, dimension: str, rule: DimensionPolicy, verdict: Verdict, waiver: Act | None, today: date
) -> Verdict:
    """The verdict after rank and waiver; only a measured breach can be excused."""
    if verdict.passed:
        return verdict
    if rule.rank == "advisory":
        return passed(check, *verdict.reasons, f"{dimension} is advisory: this warns only.", **verdict.numbers)
    if rule.rank != "supporting" or waiver is None or waiver.dimension != dimension:
        return verdict
    if not waiver.in_force(today):
        over = f"The waiver by {waiver.who} ended on {waiver.expires}. Renew it or train again."
        return Verdict(check=check, status=verdict.status, reasons=(*verdict.reasons, over), numbers=verdict.numbers)
    until, why = str(waiver.expires), waiver.reason.rstrip(".")
    numbers = {**verdict.numbers, "waived_by": waiver.who, "waived_until": until, "waived": verdict.status}
    return passed(check, *verdict.reasons, f"Waived by {waiver.who} until {until}: {why}.", **numbers)
