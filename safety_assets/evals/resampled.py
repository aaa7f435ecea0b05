"""Shares and kappas of items in near-duplicate groups, with one-sided 95% bounds by a cluster bootstrap."""

import numpy as np
import polars as pl

from safety_assets.evals import cells, statistics
from safety_assets.evals.kappa import ALL_THE_SAME

ALL = "all"
"""Dimension of the row about all of them."""
ONE_SIDED, Z_ONE_SIDED = (0.05, 0.95), 1.6448536269514722
NO_ROOM = "too many resamples have no kappa: nearly every verdict is the same"


def dimensions_in(table: pl.DataFrame) -> list[str]:
    """All of them together, then each by name."""
    return [ALL, *table["dimension"].unique(maintain_order=True).sort()]


def weights_of(groups: np.ndarray) -> tuple[np.ndarray, int]:
    """How often each item counts in each resample of the clusters, shape (1 + draws, items), full data first; and the
    number of clusters.
    """
    names, place = np.unique(groups, return_inverse=True)
    return cells.counts_with_full(len(names))[:, place], len(names)


def share(values: np.ndarray, weights: np.ndarray, groups: int) -> tuple[float, float, float]:
    """A mean of items, 0..1, with its bounds: a bootstrap alone has no width where all items are the same.

    Args:
        values: 0..1, shape (items,).
        weights: how often each item counts, shape (1 + draws, items); row 0 is the full data.
        groups: independent clusters among the items.
    """
    means = weights @ values / weights.sum(axis=1)
    p, spread = float(means[0]), float(means[1:].std())
    number = min(max(p * (1 - p) / spread**2 if spread > 1e-9 else 0.0, groups), len(values))
    low, high = statistics.wilson(p * number, number, Z_ONE_SIDED)
    ends = np.quantile(means[1:], ONE_SIDED)
    return p, min(low, float(ends[0])), max(high, float(ends[1]))


def kappa_with_bounds(draws: np.ndarray, unseen: float = 0.0) -> dict[str, object]:
    """Kappa of draw 0 with bounds from the others, at least as far out as what the groups can all miss."""
    kappa = float(draws[0])
    if not np.isfinite(kappa):
        return {"no_kappa_because": ALL_THE_SAME}
    ends = cells.quantiles(draws[1:], ONE_SIDED)
    if ends is None:
        return {"kappa": kappa, "no_kappa_because": NO_ROOM}
    return {
        "kappa": kappa, "kappa_low": max(-1.0, min(ends[0], kappa - unseen)),
        "kappa_high": min(1.0, max(ends[1], kappa + unseen)),
    }  # fmt: skip
