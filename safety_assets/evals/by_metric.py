"""Each metric of a dimension apart: score and change, also where the dimension as a whole cannot be computed."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl

from safety_assets.evals.combine import macro
from safety_assets.evals.deltas import compare
from safety_assets.evals.dimension import Cell, Dimension
from safety_assets.evals.summary import summarise
from safety_assets.records import DELTAS, DIMENSION_SCORES, SCORES


def _macro(means: Mapping[Cell, np.ndarray]) -> np.ndarray:
    return macro(means)


def metric_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """Score of each metric with its 95% interval: the mean over its categories, points on the 0-10 scale.

    Args:
        scores: SCORES of one model.

    Returns:
        The columns of DIMENSION_SCORES behind `metric`, of slice seen where it has items.
    """
    return _each(SCORES.check(scores), lambda part, dimension: summarise(part, [dimension]), DIMENSION_SCORES.empty())


def metric_deltas(baseline: pl.DataFrame, candidate: pl.DataFrame) -> pl.DataFrame:
    """Drop of each metric with its one-sided 95% bounds, paired; the columns of DELTAS behind `metric`.

    Args:
        baseline, candidate: SCORES of the same items by the same judges.
    """

    def change(part: pl.DataFrame, dimension: Dimension) -> pl.DataFrame:
        own = candidate.join(part.select("dimension", "metric").unique(), on=["dimension", "metric"], how="semi")
        return compare(part, own, [dimension], {})

    return _each(SCORES.check(baseline), change, DELTAS.empty())


def _each(
    scores: pl.DataFrame, measure: Callable[[pl.DataFrame, Dimension], pl.DataFrame], empty: pl.DataFrame
) -> pl.DataFrame:
    def parts() -> Iterator[pl.DataFrame]:
        for (name, metric), part in scores.sort("dimension", "metric").group_by(
            "dimension", "metric", maintain_order=True
        ):
            found = measure(part, Dimension(str(name), _macro, "mean over categories"))
            yield found.select(pl.lit(str(metric)).alias("metric"), pl.all())

    whole = pl.concat([empty.select(pl.lit("").alias("metric"), pl.all()), *parts()])
    if "slice" not in whole.columns:
        return whole
    return whole.filter((pl.col("slice") == "seen") & (pl.col("num_items") + pl.col("num_unscored") > 0))
