"""What holds for every dimension: bounded, monotone, draw by draw, and blind to nothing."""

import numpy as np
import polars as pl
import pytest

from safety_assets.evals.dimension import Dimension
from safety_assets.evals.probes import read_probes
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.project import open_project
from safety_assets.suites import STANDARD


@pytest.fixture(scope="module", params=["bundled", "standard"])
def cells(request: pytest.FixtureRequest) -> dict[str, list[tuple[str, str]]]:
    """The (metric, category) cells of the bundled and of the standard probes by dimension."""
    place = STANDARD if request.param == "standard" else open_project().probes
    seen = read_probes(place).filter((pl.col("split") == "gate") & (pl.col("slice") == "seen"))
    return {
        name: part.select("metric", "category").unique().rows()
        for (name,), part in seen.group_by("dimension", maintain_order=True)
    }


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda d: d.name)
def test_all_right_is_one_and_all_wrong_is_zero(dimension: Dimension, cells: dict) -> None:
    for value in (0.0, 1.0):
        p = dimension.combine({cell: np.full(3, value) for cell in cells[dimension.name]})
        assert p.shape == (3,)
        assert np.allclose(p, value)


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda d: d.name)
def test_losing_any_cell_lowers_the_score(dimension: Dimension, cells: dict) -> None:
    full = {cell: np.ones(1) for cell in cells[dimension.name]}
    for cell in full:
        assert dimension.combine({**full, cell: np.zeros(1)})[0] < 1


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda d: d.name)
def test_draws_do_not_see_one_another(dimension: Dimension, cells: dict) -> None:
    rng = np.random.default_rng(0)
    means = {cell: rng.random(4) for cell in cells[dimension.name]}
    together = dimension.combine(means)
    apart = [dimension.combine({cell: values[i : i + 1] for cell, values in means.items()})[0] for i in range(4)]
    assert np.allclose(together, apart)
