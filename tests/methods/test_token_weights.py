"""Weights by marks: their algebra, the way from the table to the loss, and rows without any."""

from pathlib import Path

import polars as pl
import pytest
import torch
from opened_run import opened, rows

from safety_assets.errors import TrainingError
from safety_assets.methods.token_weights import weights
from safety_assets.models.batch import weighted_loss
from safety_assets.records import SPANS


def marked(given: pl.DataFrame) -> pl.DataFrame:
    """The first two characters of every third answer are a refusal."""
    span = [{"turn": 1, "start": 0, "end": 2, "kind": "refusal"}]
    return given.with_columns(pl.Series("spans", [None if i % 3 else span for i in range(given.height)], dtype=SPANS))


WEIGHTS = {"method": "token_weights", "refusal": 3.0}


def test_weights_of_several_kinds_multiply() -> None:
    marks = torch.tensor([0, 1, 2, 4, 3, 7], dtype=torch.uint8)
    found = weights(marks, {"refusal": 2.0, "hedge": 0.5, "privacy": 3.0})
    assert found.tolist() == [1.0, 2.0, 0.5, 3.0, 1.0, 3.0]
    assert weights(marks[:0], {"refusal": 2.0}).shape == (0,)


def test_the_loss_is_the_sum_over_marked_and_other_tokens(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path, WEIGHTS, given=marked(rows()))
    context, batch = run.contexts[0], run.contexts[0].batch([0, 1, 3])
    logits = context.reference(batch)
    each = torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none")
    is_marked = batch.target_marks > 0
    assert 0 < int(is_marked.sum()) < len(each)
    own = weighted_loss(logits, batch, run.methods[0].weigh_tokens(context, batch, logits, 0))
    assert float(own) == pytest.approx(float(each[~is_marked].sum() + 3 * each[is_marked].sum()), rel=1e-5)
    assert run.methods[0].weigh_tokens(context, context.batch([1, 2]), logits, 0) is None


def test_rows_without_marks_are_refused_in_words_where_they_would_count(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="finds no span"):
        opened(tiny_model, tmp_path, WEIGHTS)
    neutral = opened(tiny_model, tmp_path, WEIGHTS | {"refusal": 1, "privacy": 1})
    assert neutral.methods[0].weigh_tokens(neutral.contexts[0], neutral.contexts[0].batch([0]), None, 0) is None


def test_other_recipes_do_not_see_the_spans(tiny_model: Path, tmp_path: Path) -> None:
    plain = opened(tiny_model, tmp_path / "plain")
    spans = opened(tiny_model, tmp_path / "spans", given=marked(rows()))
    assert spans.digest == plain.digest
    assert not any(row.marks for row in spans.rows)
    own = opened(tiny_model, tmp_path / "own", WEIGHTS, given=marked(rows()))
    fewer = opened(tiny_model, tmp_path / "fewer", WEIGHTS, given=marked(rows()).with_columns(
        spans=pl.when(pl.col("row_id") == f"{0:016x}").then(pl.col("spans"))
    ))  # fmt: skip
    assert own.digest != fewer.digest
