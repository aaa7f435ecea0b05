"""Safety recovery: what stands before a refusal, what is learned of it, and what it adds."""

from array import array
from pathlib import Path

import numpy as np
import pytest
import torch
from opened_run import opened

from safety_assets.methods.gradients import norm
from safety_assets.methods.safety_recovery import behind, draw_lengths
from safety_assets.models.rows import Row


def row(ids: list[int], said: list[int], origin: str = "refusal") -> Row:
    return Row("r", origin, array("i", ids), bytes(said), 1.0)


REFUSAL = row([1, 2, 9, 3, 5, 6, 99], [0, 0, 1, 0, 1, 1, 1])
HARMFUL = row([1, 2, 9, 3, 7, 8, 10, 99], [0, 0, 1, 0, 1, 1, 1, 1], "harmful")


@pytest.mark.parametrize(("count", "prefix"), [(0, []), (2, [7, 8]), (3, [7, 8, 10]), (50, [7, 8, 10])])
def test_the_refusal_stands_behind_tokens_that_are_not_learned(count: int, prefix: list[int]) -> None:
    found = behind(REFUSAL, HARMFUL, count)
    assert found.ids == [1, 2, 9, 3, *prefix, 5, 6, 99]
    assert [i for i, own in zip(found.ids, found.response, strict=True) if own] == [5, 6, 99]


def test_lengths_are_uniform_from_one_and_absent_as_often_as_said() -> None:
    drawn = draw_lengths([4] * 4000, 0.5, np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=5)
    assert counts[0] == pytest.approx(2000, abs=120)
    assert all(count == pytest.approx(500, abs=80) for count in counts[1:])
    assert len(counts) == 5
    assert draw_lengths([4] * 9, 0.0, np.random.default_rng(0)) == [0] * 9
    assert min(draw_lengths([4, 1, 2] * 9, 1.0, np.random.default_rng(0))) == 1


def test_what_is_learned_is_the_refusals_of_the_pairs(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path, {"method": "safety_recovery", "share": 1.0, "batch_rows": 2})
    method, context = run.methods[0], run.contexts[0]
    refusals = [context.rows[i] for i in range(12, 16)]
    learned = sorted(tuple(t.tolist()) for b in method._batches for t in b.targets.split(b.responses_per_row.tolist()))
    assert learned == sorted(tuple(r.ids[r.response.index(1) :]) for r in refusals)
    text = context.tokenizer.decode(method._batches[0].ids[0]).split("<|assistant|>")[1]
    assert text.startswith("S")  # of the placeholder, which opens with Sure
    method.edit_gradients(context, 0)
    assert norm([p.grad for p in context.parameters()]) > 0


def test_strength_scales_what_is_added(tiny_model: Path, tmp_path: Path) -> None:
    def added(strength: float) -> list[torch.Tensor]:
        run = opened(tiny_model, tmp_path / str(strength), {"method": "safety_recovery", "strength": strength})
        run.methods[0].edit_gradients(run.contexts[0], 0)
        return [p.grad for p in run.contexts[0].parameters()]

    assert all(torch.allclose(3 * a, b, atol=1e-5) for a, b in zip(added(1.0), added(3.0), strict=True))
