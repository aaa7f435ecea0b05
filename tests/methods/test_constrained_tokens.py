"""The weights of constrained fine-tuning against the closed form of its loss."""

from pathlib import Path

import pytest
import torch
from opened_run import opened

from safety_assets.method_specs import ConstrainedTokens
from safety_assets.methods.constrained_tokens import LEAST, schedule, target_logprobs, weights
from safety_assets.models.batch import weighted_loss

SPEC = ConstrainedTokens(method="constrained_tokens")


def test_the_schedule_is_that_of_the_paper() -> None:
    betas = schedule(torch.tensor([0, 1, 4, 5, 90, 0, 1]), SPEC)
    assert betas.tolist() == pytest.approx([0.5, 2.0, 2.0, 0.1, 0.1, 0.5, 2.0])


def test_an_answer_shorter_than_its_beginning_has_a_schedule() -> None:
    assert schedule(torch.tensor([0, 1]), SPEC.model_copy(update={"length": 100})).tolist() == [0.5, 2.0]
    assert schedule(torch.tensor([], dtype=torch.int64), SPEC).shape == (0,)


def test_weights_lie_between_their_bounds_and_fall_as_a_token_becomes_likelier() -> None:
    base, beta = torch.full((101,), -2.0), torch.full((101,), 2.0)
    model = torch.linspace(-9, 0, 101)
    found = weights(base, model, beta)
    assert (found.diff() < 0).all()
    assert found.max() < 2
    assert weights(base[:1], base[:1], beta[:1]).item() == 1.0
    assert weights(torch.tensor([-50.0]), torch.tensor([0.0]), torch.tensor([2.0])).item() == pytest.approx(LEAST)


def test_without_beta_a_weight_is_one_and_with_a_large_one_twice_the_step() -> None:
    base, model = torch.tensor([-1.0, -3.0]), torch.tensor([-2.0, -1.0])
    assert weights(base, model, torch.zeros(2)).tolist() == [1.0, 1.0]
    assert weights(base, model, torch.full((2,), 1e4)).tolist() == pytest.approx([2.0, LEAST])


def test_the_weighted_cross_entropy_has_the_gradient_of_the_papers_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 11, generator=generator, dtype=torch.float64, requires_grad=True)
    targets, base = torch.tensor([1, 4, 0, 9, 2, 2]), -3 * torch.rand(6, generator=generator, dtype=torch.float64)
    beta = torch.tensor([0.5, 2, 2, 2, 2, 0.1], dtype=torch.float64)
    logprobs = logits.log_softmax(-1).gather(-1, targets[:, None]).squeeze(-1)
    closed = -(2 / beta * torch.nn.functional.logsigmoid(beta * (logprobs - base))).sum()
    (expected,) = torch.autograd.grad(closed, logits, retain_graph=True)
    (own,) = torch.autograd.grad(-(weights(base, logprobs.detach(), beta) * logprobs).sum(), logits)
    assert torch.allclose(own, expected, atol=1e-12)


def test_at_the_base_the_gradient_is_that_of_plain_training(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path, {"method": "constrained_tokens", "beta_first": 5.0})
    context, method = run.contexts[0], run.methods[0]
    batch = context.batch([0, 5, 13])
    logits = context.reference(batch)
    found = method.weigh_tokens(context, batch, logits, 0)
    assert torch.allclose(found, torch.ones_like(found), atol=1e-4)
    again = method.weigh_tokens(context, batch, logits.index_add(1, batch.targets[:1], torch.ones(len(logits), 1)), 0)
    assert again[0] < 1
    assert float(weighted_loss(logits, batch, found)) == pytest.approx(-float(target_logprobs(logits, batch).sum()))
