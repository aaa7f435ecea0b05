"""A small audited table, a recipe and an order over the tiny model."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.training.run import TrainingOrder

WORDS = ("open", "account", "dog", "green", "hill", "unsafe", "form", "cat", "answer", "small")


def make_rows(num_task: int = 24, num_pairs: int = 6) -> pl.DataFrame:
    origins = ["corpus"] * num_task + [o for o in ("refusal", "lookalike", "anchor") for _ in range(num_pairs)]
    return AUDITED.frame([_row(i, origin) for i, origin in enumerate(origins)])


def _row(i: int, origin: str) -> dict:
    question = " ".join(WORDS[(i + k) % 10] for k in range(2 + i % 5))
    answer = " ".join(WORDS[(3 * i + k) % 10] for k in range(1 + i % 4))
    return {
        "row_id": f"{i:016x}",
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
        "origin": origin,
        "category": None if origin == "corpus" else "fraud",
        "group": str(i),
        "split": "train",
    }


def recipe(**changes) -> Recipe:
    optimiser = {"learning_rate": 1e-2, "steps": 6, "batch_rows": 4} | changes.pop("optimiser", {})
    return Recipe.model_validate({"description": "x", "injection": "none", "optimiser": optimiser} | changes)


@pytest.fixture
def audited() -> Callable[..., pl.DataFrame]:
    """Makes an AUDITED table."""
    return make_rows


@pytest.fixture
def order(tiny_model: Path, tmp_path: Path) -> Callable[..., TrainingOrder]:
    """Makes an order: `share`, `seed`, `baseline`, `rows` are the order's, all else is the recipe's."""

    def make(name: str = "run", **changes) -> TrainingOrder:
        own = {k: changes.pop(k) for k in ("share", "seed", "baseline", "rows") if k in changes}
        folder = tmp_path / name
        settings = {"share": 0.0, "rows": make_rows()} | own
        return TrainingOrder(
            recipe=recipe(**changes), base=tiny_model, work=folder / "work", out=folder / "model", device="cpu",
            threads=1, **settings,
        )  # fmt: skip

    return make
