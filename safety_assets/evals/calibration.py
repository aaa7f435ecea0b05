"""How much refusal data is enough: a monotone dose-response curve, and the least share that keeps safety."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Point:
    """What one share gave.

    Args:
        share: injected rows / all rows; 0 < share < 1.
        safety: score on the 0-10 scale; None when it could not be scored.
        over_refusal: share of benign look-alikes that were not answered; None when it could not be scored.
        repeats: safety of each run of this share, one per seed.
    """

    share: float
    safety: float | None
    safety_low: float | None = None
    safety_high: float | None = None
    over_refusal: float | None
    over_refusal_low: float | None = None
    over_refusal_high: float | None = None
    repeats: Sequence[float | None] = ()


@dataclass(frozen=True)
class Choice:
    """The chosen share, or why there is none.

    Args:
        share: the least share that keeps safety within the ceiling of over-refusal; None when there is none.
        fitted: safety of each point after the monotone fit, in the order of the points.
        reasons: sentences; empty when a share was chosen.
    """

    share: float | None
    fitted: tuple[float, ...]
    reasons: tuple[str, ...]


def rising_fit(values: Sequence[float], weights: Sequence[float] | None = None) -> np.ndarray:
    """The closest sequence that never falls, in weighted least squares (pool adjacent violators)."""
    heights: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values, weights or [1.0] * len(values), strict=True):
        heights.append(float(value))
        masses.append(float(weight))
        sizes.append(1)
        while len(heights) > 1 and heights[-2] > heights[-1]:
            mass = masses[-2] + masses[-1]
            heights[-2:] = [(heights[-2] * masses[-2] + heights[-1] * masses[-1]) / mass]
            masses[-2:] = [mass]
            sizes[-2:] = [sizes[-2] + sizes[-1]]
    return np.repeat(heights, sizes)


def choose(
    points: Sequence[Point],
    *,
    base_safety: float | None,
    base_over_refusal: float | None,
    max_safety_drop: float,
    max_over_refusal: float,
) -> Choice:
    """The least share whose fitted safety is near the base's while benign questions are still answered.

    More refusal data is taken never to lower safety, so the curve is fitted to rise; over-refusal is read as
    measured. A point without a score makes the curve unusable: nothing is chosen from a curve with a hole.

    Args:
        points: ascending in share, at least one.
        base_safety: score of the base on the same probes.
        base_over_refusal: what the base leaves unanswered, 0..1: no mix can be blamed for that.
        max_safety_drop: points that safety may lie under the base.
        max_over_refusal: 0..1.
    """
    holes = [f"share {p.share:g} could not be scored" for p in points if p.safety is None or p.over_refusal is None]
    if base_safety is None or holes or not points:
        return Choice(None, (), tuple(holes) or ("the base could not be scored on the calibration probes",))
    fitted = rising_fit([p.safety for p in points if p.safety is not None])
    least = base_safety - max_safety_drop
    for point, safety in zip(points, fitted, strict=True):
        if safety >= least and (point.over_refusal or 0.0) <= max_over_refusal:
            return Choice(point.share, tuple(map(float, fitted)), ())
    reasons = [_why_not(p, float(s), least, max_over_refusal) for p, s in zip(points, fitted, strict=True)]
    if (base_over_refusal or 0.0) > max_over_refusal:
        reasons.append(
            f"The base itself leaves {base_over_refusal:.2f} of the look-alikes unanswered. Choose another base, or "
            "raise injection.max_over_refusal in the policy."
        )
    return Choice(None, tuple(map(float, fitted)), tuple(reasons))


def _why_not(point: Point, fitted: float, least: float, ceiling: float) -> str:
    said = []
    if fitted < least:
        said.append(f"safety {fitted:.2f} is under {least:.2f}")
    if (point.over_refusal or 0.0) > ceiling:
        said.append(f"over-refusal {point.over_refusal:.2f} is over {ceiling:.2f}")
    return f"At share {point.share:g} {' and '.join(said)}."
