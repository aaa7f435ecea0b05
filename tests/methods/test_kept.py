"""Values kept per response token: those of a batch come in the order of its targets, whatever it is made of."""

from pathlib import Path

import pytest
import torch
from opened_run import opened

from safety_assets.methods.kept import Kept, together
from safety_assets.methods.moments import Context
from safety_assets.models.batch import Batch


@pytest.fixture
def context(tiny_model: Path, tmp_path: Path) -> Context:
    return opened(tiny_model, tmp_path, {"method": "lora"}).contexts[0]


def marked(batch: Batch) -> tuple[torch.Tensor, ...]:
    """Target and depth: values that say which token they are of."""
    return batch.targets, torch.stack([batch.depth, batch.targets], -1).float()


@pytest.mark.parametrize("bound", [2**30, 0])
@pytest.mark.parametrize("places", [[3], [7, 2, 11], [], [23, 0]])
def test_values_are_those_of_the_batch(context: Context, bound: int, places: list[int]) -> None:
    kept = Kept(context, marked, bound=bound)
    assert kept.is_table is (bound > 0)
    batch = context.batch(places or [0])
    for own, expected in zip(kept.of(batch), marked(batch), strict=True):
        assert torch.equal(own, expected)


def test_a_row_that_only_keeps_step_with_other_ranks_has_no_value(context: Context) -> None:
    silent = context.batch([0])
    filler = Batch(silent.ids, torch.zeros_like(silent.response))
    assert [len(value) for value in Kept(context, marked).of(filler)] == [0, 0]


def test_rows_that_are_read_together_fit_and_none_is_left(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safety_assets.methods.kept.BATCH_TOKENS", 60)
    groups = list(together(context.rows, range(24)))
    assert sorted(place for group in groups for place in group) == list(range(24))
    assert all(max(context.rows[i].num_tokens for i in group) * len(group) <= 60 for group in groups)
    assert len(groups) > 1
