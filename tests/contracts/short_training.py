"""A training of a few steps with real rows, cut short where a test wants it."""

from pathlib import Path

import polars as pl

from safety_assets.recipes import Recipe
from safety_assets.training.order import TrainingOrder
from safety_assets.training.run import Trained, train


def audited(i: int, origin: str, chat: list[dict]) -> dict:
    """One row of AUDITED."""
    return {"row_id": f"{i:016x}", "messages": chat, "origin": origin, "group": str(i), "split": "train"}


def train_shortly(
    base: Path, folder: Path, rows: pl.DataFrame, *, methods: list, optimiser: dict, stop_after: int | None = None,
    **settings: bool,
) -> Trained:  # fmt: skip
    """Train with a fifth of the rows injected; `stop_after` so many looks it is told to stop."""
    own = {"methods": methods, "optimiser": {"learning_rate": 1e-2} | optimiser}
    recipe = Recipe.model_validate({"description": "x", "injection": 0.2, **own, **settings})
    order = TrainingOrder(
        recipe=recipe, share=0.2, base=base, rows=rows, work=folder / "work", out=folder / "model", device="cpu",
        threads=1,
    )  # fmt: skip
    asked = iter(range(100))
    return train(order, should_stop=lambda: next(asked) == stop_after)
