"""A training of a few steps with real rows, cut short where a test wants it."""

from pathlib import Path

import polars as pl
import torch

from safety_assets.methods.anatomy import Anatomy
from safety_assets.methods.anatomy_files import write_anatomy
from safety_assets.recipes import Recipe
from safety_assets.training.order import TrainingOrder
from safety_assets.training.run import Trained, train


def audited(i: int, origin: str, chat: list[dict]) -> dict:
    """One row of AUDITED; every third is marked as a hedge, every other one of them as a refusal too."""
    spans = [{"turn": len(chat) - 1, "start": 0, "end": 2, "kind": kind} for kind in ("hedge", "refusal")[: 1 + i % 2]]
    return {"row_id": f"{i:016x}", "messages": chat, "origin": origin, "group": str(i), "split": "train",
            "spans": None if i % 3 else spans}  # fmt: skip


def train_shortly(
    base: Path, folder: Path, rows: pl.DataFrame, *, methods: list, optimiser: dict, stop_after: int | None = None,
    **settings: bool,
) -> Trained:  # fmt: skip
    """Train with a fifth of the rows injected; `stop_after` so many looks it is told to stop."""
    own = {"methods": methods, "optimiser": {"learning_rate": 1e-2} | optimiser}
    recipe = Recipe.model_validate({"description": "x", "injection": 0.2, **own, **settings})
    order = TrainingOrder(
        recipe=recipe, share=0.2, base=base, rows=rows, work=folder / "work", out=folder / "model", device="cpu",
        threads=1, anatomy=described(folder),
    )  # fmt: skip
    asked = iter(range(100))
    return train(order, should_stop=lambda: next(asked) == stop_after)


def described(folder: Path) -> Path:
    """An anatomy of the tiny model that nobody measured: two layers, and a few safety tokens of its 340."""
    generator = torch.Generator().manual_seed(0)
    vector = torch.zeros(340)
    vector[100:110] = torch.randn(10, generator=generator)
    unit = torch.nn.functional.normalize(torch.randn(2, 32, generator=generator), dim=-1)
    where = folder / "anatomy"
    where.mkdir(parents=True, exist_ok=True)
    write_anatomy(where, Anatomy(unit, (0.9, 0.95), (1,), (), None, 4, 4, vector))
    return where
