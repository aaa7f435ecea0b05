"""What a dimension is: a name and how the means of its cells become one proportion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Cell = tuple[str, str]
"""Metric and category."""

Combine = Callable[[Mapping[Cell, np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Dimension:
    """One of the eight dimensions.

    Args:
        name: as in `policy.DIMENSIONS`.
        combine: takes {(metric, category): means of shape (draws,)}, each in 0..1 and NaN where a resample drew no
            item of that cell; returns p of shape (draws,), in 0..1, higher is better. It works on every draw alone:
            the same means give the same p whichever draws stand beside them.
        description: one sentence for people: what is measured and what a high score means.
    """

    name: str
    combine: Combine
    description: str
