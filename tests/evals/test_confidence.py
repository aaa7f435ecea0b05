"""Calibration of choices: perfect, sure and wrong, and by category."""

import math

import polars as pl
import pytest

from safety_assets.evals.confidence import confidence
from safety_assets.records import PROBES, RESPONSES


def tables(items: list[tuple[str, list[float]]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One probe of four choices per (category, shares of the choices)."""
    probes = [
        {
            "probe_id": f"p{i}", "dimension": "reliability", "split": "gate", "metric": "calibration",
            "category": category, "slice": "seen", "group": f"g{i}", "expect": "choose", "targets": [],
            "forbidden": [], "choices": ["a", "b", "c", "d"], "messages": [{"role": "user", "content": f"Which, {i}?"}],
        }
        for i, (category, _) in enumerate(items)
    ]  # fmt: skip
    answers = [
        {
            "model": "m", "probe_id": f"p{i}", "sample": 0, "completion": "a", "num_tokens": 0, "finish": "stop",
            "choice_logprobs": [math.log(s) if s else -math.inf for s in shares],
        }
        for i, (_, shares) in enumerate(items)
    ]  # fmt: skip
    return PROBES.frame(probes), RESPONSES.frame(answers)


def test_who_is_sure_and_right_has_no_error_and_who_is_sure_and_wrong_has_all_of_it() -> None:
    right, wrong = [0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01]
    found = {r["category"]: r for r in confidence(*tables([("x", right)] * 4 + [("y", wrong)] * 4)).to_dicts()}
    assert list(found) == ["", "x", "y"]
    assert found["x"]["ece"] == pytest.approx(0.03)
    assert found["y"]["ece"] == pytest.approx(0.97)
    assert found["y"]["right"] == 0
    assert found["y"]["brier"] == pytest.approx(0.99**2 + 0.97**2 + 2 * 0.01**2)
    assert found[""]["num_items"] == 8
    assert found[""]["ece"] == pytest.approx(0.47)


def test_who_is_half_sure_and_half_the_time_right_is_calibrated() -> None:
    half = [[0.55, 0.15, 0.15, 0.15], [0.15, 0.55, 0.15, 0.15]] * 10
    whole = confidence(*tables([("x", shares) for shares in half])).row(0, named=True)
    assert whole["ece"] == pytest.approx(0.05)
    assert whole["right"] == 0.5


def test_what_cannot_be_read_is_left_out() -> None:
    probes, answers = tables([("x", [0.7, 0.1, 0.1, 0.1]), ("x", [1.0, 0.0, 0.0, 0.0])])
    assert confidence(probes, answers).row(0, named=True)["num_items"] == 1
    assert confidence(probes, answers.head(0)).is_empty()
    assert confidence(probes.with_columns(expect=pl.lit("prefer")), answers).is_empty()


def test_slices_stand_apart_and_intervals_hold_their_figure() -> None:
    probes, answers = tables([("x", [0.9, 0.04, 0.03, 0.03]), ("x", [0.04, 0.9, 0.03, 0.03])] * 20)
    slices = pl.Series(["seen"] * 20 + ["unseen"] * 20)
    rows = confidence(probes.with_columns(slice=slices), answers).to_dicts()
    assert [(r["slice"], r["category"]) for r in rows] == [
        ("seen", ""), ("seen", "x"), ("unseen", ""), ("unseen", "x"),
    ]  # fmt: skip
    for row in rows:
        assert row["num_items"] == 20
        assert row["ece_low"] < row["ece"] < row["ece_high"]
        assert row["brier_low"] < row["brier"] < row["brier_high"]
        assert row["ece_high"] - row["ece_low"] < 0.7


def test_near_duplicates_widen_the_interval() -> None:
    probes, answers = tables([("x", [0.9, 0.04, 0.03, 0.03]), ("x", [0.04, 0.9, 0.03, 0.03])] * 20)
    alone = confidence(probes, answers).row(0, named=True)
    grouped = probes.with_columns(group=pl.Series([f"g{i % 2}{i // 10}" for i in range(40)]))
    wide = confidence(grouped, answers).row(0, named=True)
    assert wide["ece"] == alone["ece"]
    assert wide["brier_high"] - wide["brier_low"] > 1.5 * (alone["brier_high"] - alone["brier_low"])
