"""Replay: what is kept of logits, and the gradient that it adds."""

from pathlib import Path

import pytest
import torch
from opened_run import opened
from torch import Tensor

from safety_assets.methods import references
from safety_assets.methods.gradients import norm
from safety_assets.methods.replay import keep_logits, mean_square


def logits(vocab: int, seed: int) -> Tensor:
    return torch.randn(5, vocab, generator=torch.Generator().manual_seed(seed))


def test_the_mean_square_is_torchs() -> None:
    base, model = logits(9, 0), logits(9, 1)
    assert float(mean_square(keep_logits(base), model)) == pytest.approx(
        float(torch.nn.functional.mse_loss(model, base))
    )
    assert float(mean_square(keep_logits(base), base)) == 0.0
    assert float(mean_square(keep_logits(base[:0]), model[:0])) == 0.0


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "WHOLE_VOCABULARY", 10)
    monkeypatch.setattr(references, "TOP", 4)


@pytest.mark.usefixtures("_few")
def test_of_a_large_vocabulary_the_largest_logits_and_the_mass_of_the_rest_are_kept() -> None:
    base = logits(90, 0)
    kept = keep_logits(base)
    assert kept.values.shape == (5, 5)
    assert torch.allclose(kept.values.logsumexp(-1), base.logsumexp(-1), atol=1e-5)
    assert torch.equal(kept.values[:, :4], base.topk(4).values)


@pytest.mark.usefixtures("_few")
def test_mass_that_moves_into_what_is_not_kept_is_seen_and_its_gradient_is_finite() -> None:
    base = logits(90, 0)
    kept = keep_logits(base)
    moved = base.clone()
    least = base.argmin(-1, keepdim=True)
    moved.scatter_(-1, least, 9.0).requires_grad_()
    loss = mean_square(kept, moved)
    loss.backward()
    assert loss.item() > 1
    assert torch.isfinite(moved.grad).all()
    assert (moved.grad.gather(-1, least) > 0).all()


def test_at_the_base_stored_logits_pull_nowhere_and_the_cross_entropy_does(tiny_model: Path, tmp_path: Path) -> None:
    def added(name: str, **knobs: float) -> float:
        run = opened(tiny_model, tmp_path / name, {"method": "replay", "batch_rows": 4, **knobs})
        run.methods[0].edit_gradients(run.contexts[0], 0)
        return norm([p.grad for p in run.contexts[0].parameters()])

    assert added("der", alpha=1.0, beta=0.0) < 1e-5
    plain = added("both", alpha=1.0, beta=1.0)
    assert plain > 1e-2
    assert added("twice", alpha=1.0, beta=2.0) == pytest.approx(2 * plain, rel=1e-4)


def test_away_from_the_base_the_added_gradient_points_back(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path, {"method": "replay", "alpha": 1.0, "beta": 0.0})
    context = run.contexts[0]
    with torch.no_grad():
        direction = [torch.randn_like(p) for p in context.parameters()]
        for parameter, own in zip(context.parameters(), direction, strict=True):
            parameter.add_(own, alpha=1e-3)
    run.methods[0].edit_gradients(context, 0)
    along = sum(float((p.grad * own).sum()) for p, own in zip(context.parameters(), direction, strict=True))
    assert along > 0


def test_between_turns_nothing_is_added(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path, {"method": "replay", "every": 3})
    run.methods[0].edit_gradients(run.contexts[0], 0)
    assert all(p.grad is None for p in run.contexts[0].parameters())
    run.methods[0].edit_gradients(run.contexts[0], 2)
    assert all(p.grad is not None for p in run.contexts[0].parameters())
