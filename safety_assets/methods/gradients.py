"""Gradients and weights as lists of tensors, one per trainable parameter: products, lengths, and displaced weights.

Products are taken in fp32 inside a tensor and in double across tensors; one flattened product of more than 2^31 entries
would fail in BLAS. Sharded tensors: the sum over all ranks.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from safety_assets.models.shards import add_over_shards, local


def dot(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Inner product over all tensors together."""
    pairs = [(local(a).flatten().float(), local(b).flatten().float()) for a, b in zip(one, other, strict=True)]
    if not pairs:
        return 0.0
    return float(add_over_shards(torch.stack([torch.dot(a, b) for a, b in pairs]).double().sum(), one))


def norm(tensors: Sequence[Tensor]) -> float:
    """Euclidean length over all tensors together."""
    return dot(tensors, tensors) ** 0.5


def of(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """What `.grad` holds; zeros where nothing flowed."""
    return [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]


def put(parameters: Sequence[nn.Parameter], gradients: Sequence[Tensor]) -> None:
    """Replace `.grad`."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient


def add(parameters: Sequence[nn.Parameter], gradients: Sequence[Tensor], scale: float = 1.0) -> None:
    """Add scale * gradients to `.grad`; a scale of 0 leaves it as it is, to the bit."""
    if scale:
        put(parameters, list(torch._foreach_add(of(parameters), list(gradients), alpha=scale)))


@contextmanager
def displaced(parameters: Sequence[nn.Parameter], direction: Sequence[Tensor], scale: float) -> Iterator[None]:
    """Inside, the weights stand at w + scale * direction; afterwards they are what they were, to the bit."""
    kept = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        torch._foreach_add_([p.data for p in parameters], list(direction), alpha=scale)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(parameters, kept, strict=True):
                parameter.copy_(before)
