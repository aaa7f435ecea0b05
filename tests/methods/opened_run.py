"""A run that is set up and not begun, over the tiny model: what a method is handed, and the method itself."""

from pathlib import Path

import polars as pl

from safety_assets.models.ranks import ALONE
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.training.loop import run_steps
from safety_assets.training.opened import Run, open_run
from safety_assets.training.order import TrainingOrder

WORDS = ("open", "account", "dog", "green", "hill", "unsafe", "form", "cat", "answer", "small")


def rows(num_task: int = 12, num_pairs: int = 4) -> pl.DataFrame:
    """Rows of one to four words of answer."""
    origins = ["corpus"] * num_task + [o for o in ("refusal", "lookalike", "anchor") for _ in range(num_pairs)]
    return AUDITED.frame([_row(i, origin) for i, origin in enumerate(origins)])


def _row(i: int, origin: str) -> dict:
    question = " ".join(WORDS[(i + k) % 10] for k in range(2 + i % 5))
    answer = " ".join(WORDS[(3 * i + k) % 10] for k in range(1 + i % 4))
    chat = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"row_id": f"{i:016x}", "messages": chat, "origin": origin, "group": str(i), "split": "train"}


def opened(
    base: Path, folder: Path, *methods: dict, given: pl.DataFrame | None = None, anatomy: Path | None = None,
    **optimiser: float,
) -> Run:  # fmt: skip
    """A run of six steps, of which none is taken."""
    settings = {"learning_rate": 1e-2, "steps": 6, "batch_rows": 4} | optimiser
    recipe = Recipe.model_validate(
        {"description": "x", "injection": 0.2, "optimiser": settings, "methods": list(methods)}
    )
    order = TrainingOrder(
        recipe=recipe, share=0.2, base=base, rows=rows() if given is None else given, work=folder / "work",
        out=folder / "model", device="cpu", threads=1, anatomy=anatomy,
    )  # fmt: skip
    return open_run(order, ALONE)[0]


def finished(run: Run) -> Run:
    """The run after its last step."""
    run.progress = run_steps(run.job(None, lambda event: None, lambda: False), run.progress)
    return run
