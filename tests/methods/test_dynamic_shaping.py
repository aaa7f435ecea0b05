"""Dynamic shaping: values of chunks, the mix of the two terms, and a guard that has nothing to say."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from opened_run import finished, opened, rows

from safety_assets.errors import TrainingError
from safety_assets.methods.dynamic_shaping import chunk_values
from safety_assets.methods.guards import Partial
from safety_assets.methods.references import keep_reference, token_kl
from safety_assets.models.batch import Batch

SHAPING = {"method": "dynamic_shaping", "chunk": 2}


def batch(*rows: str) -> Batch:
    """Rows of x (said by others) and digits (said by the assistant), as wide as the longest."""
    width = max(map(len, rows))
    ids = torch.tensor([[ord(c) for c in row.ljust(width)] for row in rows])
    return Batch(ids, torch.tensor([[c.isdigit() for c in row.ljust(width)] for row in rows]))


def text(ids: Sequence[int]) -> str:
    return "".join(map(chr, ids))


def test_a_chunk_is_judged_by_its_answer_up_to_its_end() -> None:
    asked: list[tuple[str, str]] = []

    def guard(partials: Sequence[Partial]) -> list[float]:
        asked.extend((text(p.prompt), text(p.said)) for p in partials)
        return [len(p.said) / 10 for p in partials]

    values = chunk_values(batch("xx12345", "x12x3"), guard, 2)
    assert asked == [("xx", "12"), ("xx", "1234"), ("xx", "12345"), ("x", "12"), ("x12x", "3")]
    assert values.tolist() == pytest.approx([0.2, 0.2, 0.4, 0.4, 0.5, 0.2, 0.2, 0.1])


def test_a_constant_guard_gives_that_constant_and_one_chunk_is_one_value() -> None:
    assert set(chunk_values(batch("x1234", "x1"), lambda p: [0.25] * len(p), 3).tolist()) == {0.25}
    whole = chunk_values(batch("x1234", "x12"), lambda p: [i / 10 for i in range(len(p))], 100)
    assert whole.tolist() == pytest.approx([0, 0, 0, 0, 0.1, 0.1])


def test_where_nobody_answers_there_is_no_value_and_a_first_token_is_no_target() -> None:
    assert chunk_values(batch("xxx"), lambda p: [0.5] * len(p), 2).shape == (0,)
    assert chunk_values(batch("123"), lambda p: [0.5] * len(p), 2).shape == (2,)


@pytest.mark.parametrize("given", [[0.5], [0.5, 1.5], [0.5, float("nan")]])
def test_a_guard_that_gives_no_values_is_refused(given: list[float]) -> None:
    with pytest.raises(TrainingError, match="one number from 0 to 1"):
        chunk_values(batch("x1234"), lambda p: given, 2)


@pytest.fixture
def constant(monkeypatch: pytest.MonkeyPatch):
    def guarded_by(value: float) -> None:
        monkeypatch.setattr(
            "safety_assets.methods.dynamic_shaping.base_guard", lambda context, bias: lambda p: [value] * len(p)
        )

    return guarded_by


def test_the_loss_is_linear_in_the_values(tiny_model: Path, tmp_path: Path, constant) -> None:
    def terms(value: float) -> tuple[float, float]:
        constant(value)
        run = opened(tiny_model, tmp_path / str(value), SHAPING | {"strength": 3.0})
        context, method, some = run.contexts[0], run.methods[0], run.contexts[0].batch([0, 3, 7])
        base = context.reference(some)
        moved = base + torch.randn(base.shape, generator=torch.Generator().manual_seed(0))
        weights = method.weigh_tokens(context, some, moved, 0)
        expected = 3 * (1 - value) * token_kl(keep_reference(base, 1.0), moved, reverse=True).sum()
        assert float(method.add_loss(context, some, moved, 0)) == pytest.approx(float(expected), rel=1e-4)
        assert float(method.add_loss(context, some, base, 0)) == pytest.approx(0, abs=1e-5)
        return float(weights.min()), float(weights.max())

    for value in (0.01, 0.5, 0.9):
        assert terms(value) == pytest.approx((value, value))


def test_what_is_wholly_safe_is_trained_on_as_ever(tiny_model: Path, tmp_path: Path, constant) -> None:
    constant(1.0)
    run = opened(tiny_model, tmp_path, SHAPING)
    some = run.contexts[0].batch([0, 3])
    logits = run.contexts[0].reference(some)
    assert run.methods[0].weigh_tokens(run.contexts[0], some, logits, 0) is None
    assert run.methods[0].add_loss(run.contexts[0], some, logits, 0) is None


def test_a_guard_that_finds_nothing_safe_is_refused_in_words(tiny_model: Path, tmp_path: Path, constant) -> None:
    constant(0.0)
    with pytest.raises(TrainingError, match="finds no token of the training rows safe"):
        opened(tiny_model, tmp_path, SHAPING)


def test_nearly_nothing_safe_keeps_the_model_at_the_base(tiny_model: Path, tmp_path: Path, constant) -> None:
    def distance(value: float) -> float:
        constant(value)
        run = opened(tiny_model, tmp_path / str(value), SHAPING, given=rows(num_task=24))
        some = run.contexts[0].batch(range(24))
        before = keep_reference(run.contexts[0].reference(some), 1.0)
        finished(run)
        from safety_assets.models.batch import response_logits

        with torch.no_grad():
            return float(token_kl(before, response_logits(run.loaded.model, some)).mean())

    assert distance(0.002) < 0.2 * distance(1.0)


def test_the_mean_value_is_in_the_history(tiny_model: Path, tmp_path: Path, constant) -> None:
    constant(0.75)
    run = opened(tiny_model, tmp_path, SHAPING)
    assert run.progress.history == [(1, "shaping/mean_value", pytest.approx(0.75))]
