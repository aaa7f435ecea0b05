"""Score rows of one dimension as arrays: values summed by group and cell, ready for the bootstrap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals import statistics
from safety_assets.evals.dimension import Cell, Dimension
from safety_assets.evals.slices import SEEN

MIN_FINITE_SHARE = 0.99
"""Share of the resamples that must give a value; with fewer a cell is too small to be judged."""


@dataclass(frozen=True)
class Cells:
    """The scored items of one dimension.

    Args:
        names: (metric, category) of each cell, sorted.
        sums: sum of values, shape (groups, cells).
        numbers: number of items, shape (groups, cells).
    """

    names: tuple[Cell, ...]
    sums: np.ndarray
    numbers: np.ndarray

    @property
    def num_groups(self) -> int:
        """Independent clusters of near-duplicates."""
        return int(self.sums.shape[0])


def headline(scores: pl.DataFrame) -> pl.DataFrame:
    """The score rows that budgets and deltas are about; every other slice is reported apart."""
    return scores.filter(pl.col("slice").fill_null(SEEN) == SEEN)


def usable() -> pl.Expr:
    """True for a score row that holds a finite value in 0..1 and no reason against it."""
    value = pl.col("value")
    inside = value.is_not_null() & value.is_finite() & value.is_between(0, 1)
    return (inside & pl.col("unscored_reason").is_null()).fill_null(False)


def one_model(scores: pl.DataFrame, side: str) -> None:
    """EvaluationError when rows of several models are mixed in one frame."""
    models = scores["model"].unique().to_list()
    if len(models) > 1:
        raise EvaluationError(
            f"{side} mixes answers of {len(models)} models",
            expected="the scores of one model",
            do="score each model into a table of its own",
        )


def tabulate(rows: pl.DataFrame, value: str = "value", names: Sequence[Cell] | None = None) -> Cells:
    """Scored rows, at least one, as sums by group and cell.

    Args:
        rows: columns metric, category, group and the value column; a missing category counts as "".
        value: name of the value column, finite.
        names: cells to use; all that occur when absent.
    """
    keys = list(zip(rows["metric"].fill_null(""), rows["category"].fill_null(""), strict=True))
    known = tuple(names) if names is not None else tuple(sorted(set(keys)))
    index = {key: i for i, key in enumerate(known)}
    cells = np.array([index[key] for key in keys], dtype=np.int64)
    groups = rows["group"].fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
    sums, numbers = statistics.cell_sums(rows[value].to_numpy().astype(float), groups, cells)
    return Cells(known, sums, numbers)


def counts_with_full(num_groups: int) -> np.ndarray:
    """Resample counts with the full data as draw 0; shape (1 + draws, groups)."""
    return np.vstack([np.ones((1, num_groups)), statistics.resample_counts(num_groups)])


def proportions(dimension: Dimension, cells: Cells, counts: np.ndarray) -> np.ndarray:
    """p of a dimension under each resample.

    Returns:
        Shape (draws,); each in 0..1, or NaN where the dimension gives none.

    Raises:
        EvaluationError: the dimension returned another shape or a p outside 0..1, or could not use these cells.
    """
    means = statistics.resampled_means(counts, cells.sums, cells.numbers)
    try:
        p = np.asarray(dimension.combine({name: means[:, i] for i, name in enumerate(cells.names)}), dtype=float)
    except (KeyError, ValueError, ArithmeticError) as error:
        raise EvaluationError(
            f"dimension {dimension.name} cannot be computed from its {len(cells.names)} cells ({error!r})",
            expected="items of every metric the dimension combines",
            do="add probes for the missing metric or mend the dimension",
        ) from error
    if p.shape != (len(counts),) or np.any((p < -1e-9) | (p > 1 + 1e-9)):
        raise EvaluationError(
            f"dimension {dimension.name} gave shape {p.shape} or a value outside 0..1",
            expected=f"shape ({len(counts)},), each in 0..1",
            do="mend the dimension's combine",
        )
    return np.clip(p, 0.0, 1.0)


def quantiles(draws: np.ndarray, levels: Sequence[float]) -> list[float] | None:
    """Quantiles of the finite draws; None when fewer than 99 in 100 draws are finite."""
    finite = draws[np.isfinite(draws)]
    if finite.size < MIN_FINITE_SHARE * draws.size:
        return None
    return [float(q) for q in np.quantile(finite, levels)]


def silent_cells(rows: pl.DataFrame) -> list[str]:
    """Cells of which no item is scored, as "metric/category"; rows need a boolean column `is_scored`."""
    cells = rows.group_by("metric", "category").agg(pl.col("is_scored").any()).filter(~pl.col("is_scored"))
    return sorted(f"{m or ''}/{c or ''}" for m, c in cells.select("metric", "category").iter_rows())
