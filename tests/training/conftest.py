"""A small audited table, a recipe and an order over the tiny model."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from training_rows import make_rows, recipe

from safety_assets.training.order import TrainingOrder


@pytest.fixture
def audited() -> Callable[..., pl.DataFrame]:
    """Makes an AUDITED table."""
    return make_rows


@pytest.fixture
def order(tiny_model: Path, tmp_path: Path) -> Callable[..., TrainingOrder]:
    """Makes an order: `share`, `seed`, `baseline`, `rows` are the order's, all else is the recipe's."""

    def make(name: str = "run", **changes) -> TrainingOrder:
        own = {k: changes.pop(k) for k in ("share", "seed", "baseline", "rows", "pretrained") if k in changes}
        folder = tmp_path / name
        settings = {"share": 0.0, "rows": make_rows()} | own
        return TrainingOrder(
            recipe=recipe(**changes), base=tiny_model, work=folder / "work", out=folder / "model", device="cpu",
            threads=1, **settings,
        )  # fmt: skip

    return make
