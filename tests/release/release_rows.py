"""Rows of a candidate that passes everything."""

import polars as pl

from safety_assets.records import TASK_SCORES
from safety_assets.release.acts import Act

WEIGHTS, LAW = "a" * 64, "b" * 64


def delta_row(dimension: str, /, **changes: object) -> dict:
    row = {
        "dimension": dimension, "baseline": 9.5, "candidate": 9.4, "drop": 0.1, "drop_low": -0.2, "drop_high": 0.4,
        "num_pairs": 600, "num_unscored": 0, "num_lost": 9, "num_gained": 6, "p_value": 0.3, "num_needed": 200,
        "unscored_reason": None,
    }  # fmt: skip
    return {**row, **changes}


def score_row(dimension: str, /, **changes: object) -> dict:
    row = {
        "dimension": dimension, "slice": "seen", "score": 9.4, "low": 9.1, "high": 9.6, "num_items": 600,
        "num_unscored": 0, "metrics": "{}", "unscored_reason": None,
    }  # fmt: skip
    return {**row, **changes}


def task_frame(right: int, wrong: int, model: str = WEIGHTS) -> pl.DataFrame:
    values = [1.0] * right + [0.0] * wrong
    return TASK_SCORES.frame([{"model": model, "task_id": f"t{i}", "value": v} for i, v in enumerate(values)])


def an_act(kind: str, /, **changes: object) -> Act:
    """An act of Ada, model owner of the project p, about WEIGHTS."""
    said = {
        "project": "p", "kind": kind, "who": "Ada", "role": "model_owner", "reason": "It is known.",
        "about": "weights", "made_at": "2026-01-02T03:04:05Z", **changes,
    }  # fmt: skip
    return Act.model_validate({"digest": None if said["about"] == "project" else WEIGHTS, **said})
