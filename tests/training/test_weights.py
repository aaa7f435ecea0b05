"""Weights of rows: 1 changes nothing, less scales what the row's tokens lose and leaves every other row alone."""

from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from safety_assets.errors import TrainingError
from safety_assets.frames import ShardWriter
from safety_assets.models.batch import Batch, pad_right, response_loss
from safety_assets.models.chat import Encoded
from safety_assets.models.load import load_model
from safety_assets.records import AUDITED
from safety_assets.training.encode import encode_rows
from safety_assets.training.run import train


def weights_of(trained) -> dict[str, torch.Tensor]:
    return load_file(trained.model / "model.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def weighted(rows: pl.DataFrame, weight: float | None) -> pl.DataFrame:
    return rows.with_columns(weight=pl.lit(weight, pl.Float64))


@pytest.fixture(scope="module")
def loaded(tiny_model: Path):
    return load_model(tiny_model)


def rows_of(*weights: float) -> list[Encoded]:
    """Rows of two or three response tokens."""
    return [Encoded([2, 40 + i, 50, 60 + i, 3], [False, False, True, True, i > 0], w) for i, w in enumerate(weights)]


def batch_of(*weights: float) -> Batch:
    return pad_right(rows_of(*weights), 0, torch.device("cpu"))


def test_the_loss_is_the_weighted_sum_over_response_tokens(loaded) -> None:
    with torch.no_grad():
        single = [
            float(response_loss(loaded.model, pad_right([row], 0, torch.device("cpu"))))
            for row in rows_of(1.0, 1.0, 1.0)
        ]
        both = float(response_loss(loaded.model, batch_of(1.0, 0.25, 0.5)))
    assert both == pytest.approx(single[0] + 0.25 * single[1] + 0.5 * single[2], rel=1e-5)
    assert batch_of(1.0, 0.25).num_responses == 5


def test_a_lighter_row_pulls_less_and_the_others_as_before(loaded) -> None:
    def gradient(*weights: float) -> torch.Tensor:
        loaded.model.zero_grad()
        response_loss(loaded.model, batch_of(*weights)).backward()
        return torch.cat([p.grad.flatten() for p in loaded.model.parameters()]).clone()

    whole, half, without = gradient(1.0, 1.0), gradient(1.0, 0.5), gradient(1.0, 1e-9)
    assert torch.allclose(half, (whole + without) / 2, atol=1e-5)
    assert not torch.allclose(half, whole, atol=1e-3)


def test_weight_one_is_bit_for_bit_no_weight(order, audited) -> None:
    assert batch_of(1.0, 1.0).weights is None
    plain = weights_of(train(order("plain", rows=weighted(audited(), None))))
    assert same(plain, weights_of(train(order("one", rows=weighted(audited(), 1.0)))))
    assert not same(plain, weights_of(train(order("half", rows=weighted(audited(), 0.5)))))


def test_rows_on_disk_in_shards_train_to_the_same_weights(order, audited, tmp_path: Path) -> None:
    rows = weighted(audited(), 1.0).with_row_index().with_columns(
        weight=pl.when(pl.col("index") % 3 == 0).then(0.5).otherwise(1.0)
    )  # fmt: skip
    writer = ShardWriter(tmp_path, "rows", AUDITED, rows=7)
    writer.add(AUDITED.check(rows))
    shards = writer.close()
    assert len(shards) > 3
    trained = [train(order(name, rows=given)) for name, given in (("memory", AUDITED.check(rows)), ("disk", shards))]
    assert same(*map(weights_of, trained))


def test_a_weight_reaches_its_row_and_null_counts_as_one(loaded, audited) -> None:
    rows = audited().with_row_index().with_columns(weight=pl.when(pl.col("index") == 1).then(0.25))
    encoded, _ = encode_rows(loaded.tokenizer, rows, max_tokens=128)
    assert [row.encoded.weight for row in encoded[:3]] == [1.0, 0.25, 1.0]


def test_the_saved_state_of_rows_that_weighed_otherwise_is_not_resumed(order, audited) -> None:
    asked = iter([False, False, True])
    with pytest.raises(TrainingError, match="interrupted after step 2"):
        train(order("x", rows=weighted(audited(), 0.5)), should_stop=lambda: next(asked))
    assert same(weights_of(train(order("x"))), weights_of(train(order("y"))))
