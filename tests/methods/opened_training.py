"""A training set up over the tiny model, to be looked into between its steps."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import torch

from safety_assets.models.ranks import ALONE
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.training.loop import run_steps
from safety_assets.training.opened import Run, open_run
from safety_assets.training.order import TrainingOrder

WORDS = ("open", "account", "dog", "green", "hill", "unsafe", "form", "cat", "answer", "small")
ORIGINS = ("corpus",) * 20 + ("refusal", "lookalike", "anchor") * 4


def make_rows(origins: tuple[str, ...] = ORIGINS) -> pl.DataFrame:
    return AUDITED.frame([_row(i, origin) for i, origin in enumerate(origins)])


def _row(i: int, origin: str) -> dict:
    question = " ".join(WORDS[(i + k) % 10] for k in range(2 + i % 5))
    said = " ".join(WORDS[(3 * i + k) % 10] for k in range(1 + i % 3))
    chat = [{"role": "user", "content": question}, {"role": "assistant", "content": said}]
    return {"row_id": f"{i:016x}", "messages": chat, "origin": origin, "group": str(i), "split": "train"}


def open_training(
    base: Path, folder: Path, *methods: dict, rows: pl.DataFrame | None = None, share: float = 0.2,
    anatomy: Path | None = None, **optimiser,
) -> Run:  # fmt: skip
    """A run before its first step."""
    settings = {"learning_rate": 1e-2, "steps": 4, "batch_rows": 4} | optimiser
    recipe = {"description": "x", "injection": 0.2, "methods": list(methods), "optimiser": settings}
    order = TrainingOrder(
        recipe=Recipe.model_validate(recipe), share=share, base=base, rows=make_rows() if rows is None else rows,
        work=folder / "work", out=folder / "model", device="cpu", threads=1, anatomy=anatomy,
    )  # fmt: skip
    return open_run(order, ALONE)[0]


def take_steps(run: Run) -> Run:
    run.progress = run_steps(run.job(None, lambda event: None, lambda: False), run.progress)
    return run


def weights(run: Run) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in run.loaded.model.named_parameters()}


def series(run: Run, name: str) -> list[float]:
    return [value for _, own, value in run.progress.history if own == name]


def each_step(run: Run, look: Callable[[int], None]) -> Run:
    """Take all steps and look after each, when the methods have acted."""
    last = run.methods[-1]
    after = last.after_step

    def noted(context, step: int) -> None:
        after(context, step)
        look(step)

    last.after_step = noted  # type: ignore[method-assign]
    return take_steps(run)
