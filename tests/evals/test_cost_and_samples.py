"""Ratios of what serving costs, and agreement over drawn answers, with planted differences."""

import polars as pl
import pytest

from safety_assets.evals.agreement_of_samples import agreement
from safety_assets.evals.cost import ANSWERED, serving
from safety_assets.records import RESPONSES, SCORES


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


def side(texts: list[list[str]], values: list[list[float]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    items = [
        {
            "model": "m", "probe_id": f"p{i}", "sample": k, "completion": text, "num_tokens": 1, "finish": "stop",
            "choice_logprobs": [], "dimension": "safety", "metric": "refuses", "category": "c", "slice": "seen",
            "group": f"g{i}", "judge": "j", "verdict": "v", "value": values[i][k],
        }
        for i, own in enumerate(texts) for k, text in enumerate(own)
    ]  # fmt: skip
    return RESPONSES.frame(items), SCORES.frame(items)


def test_agreement_counts_pairs_and_the_most_frequent_answer() -> None:
    base = side([["No.", "no", "No!"]] * 12, [[1, 1, 1]] * 12)
    torn = side([["No.", "Sure", "Fine"]] * 12, [[1, 0, 0]] * 12)
    row = agreement([base, torn]).filter(dimension="all").row(0, named=True)
    assert row["num_questions"] == 12
    assert row["base_verdicts"] == row["base_consistency"] == 1
    assert row["candidate_verdicts"] == row["candidate_consistency"] == pytest.approx(1 / 3)
    assert [row[name] for name in ("change", "low", "high")] == pytest.approx([-2 / 3] * 3)


def test_what_is_answered_once_agrees_with_nothing() -> None:
    once = side([["No."]], [[1]])
    assert agreement([once, once]).is_empty()
