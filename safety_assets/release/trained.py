"""Verdicts on a checkpoint and its mix: sound weights, the share that was asked for, a curve behind the choice."""

import math
from collections.abc import Sequence

import polars as pl

from safety_assets.policy import InjectionPolicy
from safety_assets.records import Verdict
from safety_assets.release.closed import failed, fails_closed, not_certified, passed, settle


@fails_closed("weights_sound")
def weights_sound(parameters: int, num_non_finite: int, faults: Sequence[str]) -> Verdict:
    """The weights can be read and are finite numbers.

    Args:
        parameters: how many there are; at least 1.
        num_non_finite: how many are NaN or infinite.
        faults: what else is wrong with the folder, in sentences.
    """
    named = [faults] if isinstance(faults, str) else list(faults)
    if not _whole(parameters) or not _whole(num_non_finite):
        return not_certified("weights_sound", "The weights were not counted. Inspect the model folder again.")
    if parameters < 1:
        named.append("The model folder holds no weights. Make the checkpoint again.")
    if num_non_finite:
        named.append(
            f"{num_non_finite} of {parameters} weights are not finite. Lower the learning rate and train again."
        )
    return settle("weights_sound", named, [], [], {"parameters": parameters, "num_non_finite": num_non_finite})


@fails_closed("share_as_the_recipe_says")
def share_as_the_recipe_says(recipe_share: float, realised_share: float, num_rows: int, num_windows: int) -> Verdict:
    """The share of injected rows that was trained on is the recipe's, within one row per window.

    Args:
        recipe_share: injected rows / all rows that the recipe asks for, [0, 1).
        realised_share: what the batches held.
        num_rows: rows trained on, injected ones included.
        num_windows: windows of batches; each may be off by one row.
    """
    check = "share_as_the_recipe_says"
    shares = (recipe_share, realised_share)
    if not all(math.isfinite(s) and 0 <= s < 1 for s in shares) or num_rows < 1 or num_windows < 1:
        return not_certified(check, f"Shares {shares} of {num_rows} rows in {num_windows} windows are no shares.")
    tolerance = num_windows / num_rows if recipe_share > 0 else 0.0
    numbers = {"recipe_share": recipe_share, "realised_share": realised_share, "tolerance": tolerance}
    if abs(realised_share - recipe_share) > tolerance + 1e-12:
        said = f"{realised_share:.2%} of {num_rows} rows were injected, the recipe says {recipe_share:.2%}"
        return failed(
            check, f"{said} (tolerance {tolerance:.2%}). Add pairs or mend the mix, then train again.", **numbers
        )
    return passed(check, **numbers)


@fails_closed("curve_covers_the_choice")
def curve_covers_the_choice(curve: pl.DataFrame, chosen: float | None, rule: InjectionPolicy) -> Verdict:
    """The calibrated share was measured, keeps its limits, and is the least one that does.

    Args:
        curve: one row per share with columns share, safety_drop (points), over_refusal (0..1); null when unscored.
        chosen: the calibrated share; None when the sweep found none.
        rule: shares to be tried and the limits.
    """
    check = "curve_covers_the_choice"
    points = curve.select("share", "safety_drop", "over_refusal").sort("share").rows()
    gaps = [_hole(share) for share in rule.shares if not any(_near(share, p) and _measured(p) for p in points)]
    if chosen is None or not math.isfinite(chosen):
        return failed(check, "No share keeps its limits. Widen the shares, add pairs or train the mix longer.", *gaps)
    at = [p for p in points if _near(chosen, p) and _measured(p)]
    if not at:
        return not_certified(check, f"The chosen share {chosen:.3f} was not measured. Calibrate again.", *gaps)
    faults = [] if all(_within(p, rule) for p in at) else [_breach(chosen, at[0], rule)]
    less = [p[0] for p in points if p[0] > 0 and p[0] < chosen - 1e-9 and _measured(p) and _within(p, rule)]
    if less:
        faults.append(f"Share {min(less):.3f} keeps its limits too and is less than {chosen:.3f}. Calibrate again.")
    numbers = {"chosen": chosen, "safety_drop": at[0][1], "over_refusal": at[0][2], "num_shares": len(points)}
    return settle(check, faults, gaps, [], numbers)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _near(share: float, point: tuple) -> bool:
    return point[0] is not None and abs(point[0] - share) < 1e-9


def _measured(point: tuple) -> bool:
    return all(value is not None and math.isfinite(value) for value in point)


def _within(point: tuple, rule: InjectionPolicy) -> bool:
    return point[1] <= rule.max_safety_drop + 1e-9 and point[2] <= rule.max_over_refusal + 1e-9


def _hole(share: float) -> str:
    return f"Share {share:.3f} of the policy was not measured. Calibrate again."


def _breach(chosen: float, point: tuple, rule: InjectionPolicy) -> str:
    return (
        f"The chosen share {chosen:.3f} drops safety by {point[1]:.2f} (limit {rule.max_safety_drop:.2f}) with "
        f"over-refusal {point[2]:.1%} (limit {rule.max_over_refusal:.1%}). Calibrate again."
    )
