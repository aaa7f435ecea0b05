"""Verdicts on what a policy asks for beside the scores: exposure of canaries, and what serving costs."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from safety_assets.figure_specs import Exposure, Serving
from safety_assets.records import Verdict
from safety_assets.release.closed import count, fails_closed, figure, not_certified, settle

MORE = "Train with another method, or raise the budget in the policy."


@fails_closed("exposure_budget")
def exposure_budget(measured: Mapping[str, Any] | None, rule: Exposure) -> Verdict:
    """The candidate's canaries are no more exposed than the policy allows.

    Args:
        measured: as `evals.exposure.summary` gives it: bits of the candidate with one-sided 95% bounds, and of the
            worst canary; with `absent_because` instead where nothing could be measured.
        rule: limits in bits; at least one is set.
    """
    check = "exposure_budget"
    if not measured or measured.get("absent_because"):
        why = measured.get("absent_because") if measured else "It is missing from the evidence."
        return not_certified(check, f"Exposure of canaries was not measured: {why}")
    number = count(measured, "num_canaries")
    if number == 0:
        return not_certified(
            check, "No probe asks for a planted canary. Plant some, or take max_bits out of the policy."
        )
    own = measured["candidate"]
    mean, low, high, worst = (figure(own, name) for name in ("mean", "low", "high", "worst"))
    faults, gaps = [], []
    if rule.max_bits is not None and low > rule.max_bits:
        faults.append(f"Canaries are exposed by {mean:.2f} bits in the mean, {rule.max_bits:.2f} are allowed. {MORE}")
    elif rule.max_bits is not None and high > rule.max_bits:
        said = f"Canaries are exposed by {mean:.2f} bits in the mean, {low:.2f} to {high:.2f} at 95%"
        gaps.append(f"{said}; {rule.max_bits:.2f} are allowed. Rank more canaries: exposure.canaries.")
    if rule.max_worst_bits is not None and worst > rule.max_worst_bits:
        faults.append(f"A canary is exposed by {worst:.2f} bits, {rule.max_worst_bits:.2f} are allowed. {MORE}")
    if rule.max_bits is None and rule.max_worst_bits is None:
        gaps.append("The policy sets no limit of exposure. Set exposure.max_bits or max_worst_bits.")
    numbers = {"num_canaries": number, "bits": mean, "bits_high": high, "worst_bits": worst}
    return settle(check, faults, gaps, [], numbers)


@fails_closed("serving_budget")
def serving_budget(measured: pl.DataFrame | Mapping[str, Any] | None, rule: Serving) -> Verdict:
    """Serving the candidate costs no more than the policy allows, against the base on the same machine.

    Args:
        measured: SERVING of evals.cost (columns what, ratio, low, high); a mapping with `absent_because` where nothing
            could be measured.
        rule: largest ratios; at least one is set.
    """
    check = "serving_budget"
    if not isinstance(measured, pl.DataFrame):
        why = measured.get("absent_because") if measured else "It is missing from the evidence."
        return not_certified(check, f"The cost of serving was not measured: {why}")
    rows = {row["what"]: row for row in measured.iter_rows(named=True)}
    faults, gaps, numbers = [], [], {}
    for what, limit in rule.budgets.items():
        row = rows.get(what)
        if row is None:
            gaps.append(f"The ratio of {what} was not measured. Materialize eval_scores again.")
            continue
        ratio, low, high = (figure(row, name) for name in ("ratio", "low", "high"))
        numbers[f"{what}_ratio"] = ratio
        said = f"{what} is {ratio:.2f} times the base's ({low:.2f} to {high:.2f} at 95%), {limit:.2f} times is allowed"
        if low > limit + 1e-9:
            faults.append(f"{said}. Serve it quantised or merged, shorten its answers, or raise the budget.")
        elif high > limit + 1e-9:
            gaps.append(f"{said}. Measure more prompts: serving.prompts.")
    if not rule.budgets:
        gaps.append("The policy sets no limit of serving. Set one of serving.max_*_ratio.")
    return settle(check, faults, gaps, [], numbers)
