"""Ratios of what serving costs, with planted differences."""

import polars as pl
import pytest

from safety_assets.evals.cost import ANSWERED, serving


def answered(factor: float, number: int = 30) -> pl.DataFrame:
    return ANSWERED.frame([
        {"prompt": i, "side": side, "seconds": (0.1 + 0.01 * i) * (factor if side == "candidate" else 1),
         "tokens": 10 + i % 3 + (5 if side == "candidate" else 0)}
        for i in range(number) for side in ("base", "candidate")
    ])  # fmt: skip


def test_a_candidate_that_is_twice_as_slow_has_that_ratio_whatever_the_prompts() -> None:
    rows = {row["what"]: row for row in serving(answered(2.0), (100, 100), (100, 150)).to_dicts()}
    assert rows["latency"]["ratio"] == pytest.approx(2.0)
    assert rows["latency"]["high"] == pytest.approx(2.0)
    assert rows["tokens"]["ratio"] == pytest.approx(16 / 11)
    assert rows["tokens"]["low"] < rows["tokens"]["ratio"] < rows["tokens"]["high"]
    assert rows["memory"]["ratio"] == 1
    assert rows["size"]["ratio"] == rows["size"]["high"] == 1.5
