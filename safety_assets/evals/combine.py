"""From the means of cells to one proportion: macro means and the worst cell. Shapes (draws,) throughout."""

from collections.abc import Mapping

import numpy as np

from safety_assets.evals.dimension import Cell

WORST = 0.3
"""Weight of the worst cell where a dimension may not be good on average only."""


def macro(means: Mapping[Cell, np.ndarray], metric: str | None = None) -> np.ndarray:
    """Mean over the cells of one metric (or over all cells), those that a resample left empty not counted."""
    cells = _stack(means, metric)
    filled = np.isfinite(cells)
    number = filled.sum(axis=0)
    total = np.where(filled, cells, 0.0).sum(axis=0)
    return np.divide(total, number, out=np.full(number.shape, np.nan), where=number > 0)


def worst(means: Mapping[Cell, np.ndarray], metric: str | None = None) -> np.ndarray:
    """The lowest cell of one metric, or of all; NaN where a resample left all of them empty."""
    cells = _stack(means, metric)
    lowest = np.where(np.isfinite(cells), cells, np.inf).min(axis=0)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def mean_of_metrics(
    means: Mapping[Cell, np.ndarray], metrics: tuple[str, ...], also: tuple[str, ...] = ()
) -> np.ndarray:
    """Mean over metrics, each the macro mean of its cells; KeyError when one was not measured.

    Args:
        means: as in `Dimension.combine`.
        metrics: what every probe set must measure.
        also: what counts the same where the probe set has it.
    """
    measured = {metric for metric, _ in means}
    names = [*metrics, *(metric for metric in also if metric in measured)]
    return np.mean([macro(means, metric) for metric in names], axis=0)


def _stack(means: Mapping[Cell, np.ndarray], metric: str | None) -> np.ndarray:
    """(cells, draws)."""
    cells = [values for (name, _), values in means.items() if metric in (None, name)]
    if not cells:
        raise KeyError(metric)
    return np.stack(cells)
