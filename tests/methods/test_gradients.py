import contextlib

import pytest
import torch
from torch import nn

from safety_assets.methods import gradients


def tensors(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator) for s in ((3, 4), (5,))]


def test_product_and_length_are_those_of_one_long_vector() -> None:
    one, other = tensors(0), tensors(1)
    long, longer = (torch.cat([t.flatten() for t in given]) for given in (one, other))
    assert gradients.dot(one, other) == pytest.approx(float(long @ longer), rel=1e-6)
    assert gradients.norm(one) == pytest.approx(float(long.norm()), rel=1e-6)
    assert gradients.dot([], []) == 0.0


def test_half_precision_is_multiplied_in_single() -> None:
    many = [torch.full((4096,), 0.1, dtype=torch.bfloat16)]
    assert gradients.dot(many, many) == pytest.approx(4096 * float(many[0][0]) ** 2, rel=1e-5)


def test_displaced_weights_come_back_to_the_bit_also_after_an_error() -> None:
    weights = [nn.Parameter(t) for t in tensors(0)]
    before, direction = [p.detach().clone() for p in weights], tensors(1)
    with contextlib.suppress(RuntimeError), gradients.displaced(weights, direction, 0.3):
        assert torch.allclose(weights[0], before[0] + 0.3 * direction[0])
        raise RuntimeError("inside")
    assert all(torch.equal(p, b) for p, b in zip(weights, before, strict=True))


def test_adding_nothing_leaves_the_gradient_itself() -> None:
    weights = [nn.Parameter(t) for t in tensors(0)]
    own = torch.ones(3, 4)
    weights[0].grad = own
    gradients.add(weights, tensors(1), 0.0)
    assert weights[0].grad is own
    assert weights[1].grad is None
    gradients.add(weights, tensors(1), 2.0)
    assert torch.allclose(weights[0].grad, own + 2.0 * tensors(1)[0])
    assert torch.allclose(weights[1].grad, 2.0 * tensors(1)[1])
