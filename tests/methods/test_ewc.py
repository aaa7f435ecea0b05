"""EWC: the Fisher information, its quadratic form, and the pull towards the base."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from opened_run import finished, opened, rows

from safety_assets.errors import TrainingError
from safety_assets.methods.ewc import fisher, pull
from safety_assets.methods.gradients import norm

EWC = {"method": "ewc", "strength": 10.0, "rows": 4}


def test_the_fisher_information_of_a_bernoulli_is_the_closed_one() -> None:
    """Of draws in proportion to p, the mean of (d log p / d logit)^2 is p (1 - p)."""
    logit = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    draws = [1.0] * 69 + [0.0] * 31  # sigmoid(0.8) = 0.690
    found = []
    for draw in draws:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, torch.tensor(draw, dtype=torch.float64))
        found.append(torch.autograd.grad(loss, [logit]))
    p = float(torch.sigmoid(logit.detach()))
    assert float(fisher(found, len(draws))[0]) == pytest.approx(p * (1 - p), rel=1e-2)


def test_rows_are_squared_alone_not_their_sum() -> None:
    cancelling = [[torch.tensor([1.0])], [torch.tensor([-1.0])]]
    assert fisher(cancelling, 2)[0].item() == 1.0


def test_the_pull_is_the_gradient_of_half_the_quadratic_form() -> None:
    generator = torch.Generator().manual_seed(0)
    weight, base, f = (torch.rand(3, 4, generator=generator, dtype=torch.float64) for _ in range(3))
    weight.requires_grad_()
    (0.5 * (f * (weight - base) ** 2).sum()).backward()
    assert torch.allclose(pull([f], [weight.detach()], [base])[0], weight.grad)
    mirrored = pull([f], [2 * base - weight.detach()], [base])[0]
    assert torch.allclose(mirrored, -weight.grad)


def test_without_fisher_information_nothing_pulls() -> None:
    assert not pull([torch.zeros(3)], [torch.ones(3)], [torch.zeros(3)])[0].any()


def test_at_the_base_nothing_is_added_and_away_from_it_the_way_back(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path, EWC)
    context = run.contexts[0]
    run.methods[0].edit_gradients(context, 0)
    assert norm([p.grad for p in context.parameters()]) == 0
    with torch.no_grad():
        for parameter in context.parameters():
            parameter.add_(0.01)
    run.methods[0].edit_gradients(context, 1)
    assert all((p.grad >= 0).all() for p in context.parameters())
    assert norm([p.grad for p in context.parameters()]) > 0


def test_a_strong_pull_leaves_the_weights_that_matter_nearer_to_the_base(tiny_model: Path, tmp_path: Path) -> None:
    def distance(name: str, strength: float) -> float:
        run = opened(tiny_model, tmp_path / name, EWC | {"strength": strength, "rows": 12})
        method, before = run.methods[0], [p.detach().clone() for p in run.contexts[0].parameters()]
        finished(run)
        gap = pull(method._fisher, [p.detach() for p in run.contexts[0].parameters()], before)
        return norm(gap)

    assert distance("strong", 1e4) < 0.7 * distance("weak", 1e-6)


def test_sharded_training_and_missing_rows_are_refused_in_words(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path / "x", EWC)
    with pytest.raises(TrainingError, match="before sharded weights"):
        run.methods[0].setup(replace(run.contexts[0], sharded=True))
    without = rows().filter(pl.col("origin") != "anchor")
    recipe = EWC | {"origins": ["anchor"]}
    with pytest.raises(TrainingError, match="ewc has no row"):
        opened(tiny_model, tmp_path / "y", recipe, given=without)
