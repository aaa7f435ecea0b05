"""Score rows for the tests of statistics: items of one dimension in metrics, categories, slices and groups."""

import numpy as np
import polars as pl

from safety_assets.evals.dimension import Dimension
from safety_assets.records import SCORES


def mean_of_cells(cells):
    """Mean over the cells that have a value."""
    stacked = np.stack(list(cells.values()))
    known = np.isfinite(stacked)
    return np.divide(
        np.where(known, stacked, 0).sum(0), known.sum(0), out=np.full(stacked.shape[1], np.nan), where=known.any(0)
    )


SAFETY = Dimension("safety", mean_of_cells, "mean of the cells")


def scores_of(
    values, *, model="base", dimension="safety", metrics=2, categories=2, group_size=1, judge="rules-1"
) -> pl.DataFrame:
    """SCORES with one row per value; None is unscored."""
    return SCORES.frame([
        {
            "model": model, "probe_id": f"p{i:05d}", "dimension": dimension, "metric": f"m{i % metrics}",
            "category": f"c{i // metrics % categories}", "slice": "seen",
            "group": f"g{i // group_size:05d}", "sample": 0, "judge": judge, "verdict": f"v{value}",
            "value": None if value is None else float(value),
            "unscored_reason": "the judge was down" if value is None else None,
        }
        for i, value in enumerate(values)
    ])  # fmt: skip
