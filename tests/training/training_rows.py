"""A small audited table and a recipe."""

import polars as pl

from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED

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
