"""Which contiguous layers of a model tell malicious from normal prompts: the published localisation in two steps.

Idea: states of normal and malicious prompts look alike in the first layers; from some layer on the angle between them
is wider than among normal ones, and it widens until some later layer. Scaling the weights of just these layers makes
the model refuse more of what only looks harmful, which fixes their bounds.
Paper: Li et al., Safety Layers in Aligned Large Language Models, arXiv 2408.17003 (ICLR 2025), sections 3.2 and 3.3.
Cost: states of the prompts once; one short answer to each look-alike prompt per bound that is tried.
Fails: where prompts separate by subject rather than by harm; where look-alikes are never or always refused, the
bounds of the first step stay.
Deviation: the paper reads the bounds off a plot; here separation begins where the gap exceeds both what chance gives
between normal prompts and a tenth of its largest value, and ends where it is largest. Bounds are tried within four
layers of the first step's. Weights are scaled by scaling what the linear layers put out, so that nothing has to be
put back; the released script wrote the output projection into another model.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from safety_assets.errors import ModelError
from safety_assets.models.chat import Chat
from safety_assets.models.decoder import decoder_layers
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel
from safety_assets.refusals import is_refusal

DRAWS = 500
BEGINS = 0.1
"""Share of the largest gap at which separation begins."""
SPLITS = 20
"""Random halves of the normal prompts that chance is read from."""
WINDOW = 4
SCALE = 1.1
NEW_TOKENS = 16
BAND = (0.375, 0.625)
"""Part of the depth that stands in where nothing is found."""
SCORED_AT = (0.1, 0.2)

Count = Callable[[Sequence[int], float], int]
"""Layers and the factor of their weights to the number of refused look-alikes."""


@dataclass(frozen=True)
class SafetyLayers:
    """The safety layers of a model.

    Args:
        layers: 0-based, contiguous, in order.
        found_by: localised (both steps), separation (the first alone) or middle band (nothing was found).
        gap: angle of a normal to a malicious prompt minus that of two normal ones, radians, per layer.
        noise: the largest such gap that random halves of the normal prompts show in any layer.
    """

    layers: tuple[int, ...]
    found_by: str
    gap: tuple[float, ...]
    noise: float


def locate(normal: Tensor, malicious: Tensor, count: Count | None, seed: int = 0) -> SafetyLayers:
    """The safety layers, from states at the prompt's last token.

    Args:
        normal: at least 4 prompts that are answered.  # (layers, prompts, width)
        malicious: at least 2 that are refused.  # (layers, prompts, width)
        count: refusals under scaled weights; None leaves the second step out.
    """
    rng = np.random.default_rng(seed)
    gap, floor = angular_gap(normal, malicious, rng), chance(normal, rng)
    found = separated(gap.tolist(), floor)
    if found is None:
        return SafetyLayers(middle_band(len(gap)), "middle band", tuple(gap.tolist()), floor)
    refined = refine(*found, len(gap), lambda layers: count(layers, SCALE)) if count else None
    first, last = refined or found
    how = "localised" if refined else "separation"
    return SafetyLayers(tuple(range(first, last + 1)), how, tuple(gap.tolist()), floor)


def angular_gap(normal: Tensor, other: Tensor, rng: np.random.Generator, draws: int = DRAWS) -> Tensor:
    """Mean angle of a normal to another prompt minus that of two different normal ones, radians.

    Args:
        normal: (layers, n, width), n at least 2.
        other: (layers, m, width).

    Returns:
        (layers,)
    """
    unit = nn.functional.normalize
    a, b = unit(normal.double(), dim=-1), unit(other.double(), dim=-1)
    n, m = a.shape[1], b.shape[1]
    one = rng.integers(n, size=draws)
    mate = (one + rng.integers(1, n, size=draws)) % n
    across, within = (a[:, one] * b[:, rng.integers(m, size=draws)]).sum(-1), (a[:, one] * a[:, mate]).sum(-1)
    return across.clamp(-1, 1).acos().mean(-1) - within.clamp(-1, 1).acos().mean(-1)


def chance(normal: Tensor, rng: np.random.Generator) -> float:
    """The largest gap that random halves of the normal prompts show in any layer, radians.  # (layers, n, width)"""
    number, found = normal.shape[1], 0.0
    for _ in range(SPLITS):
        order = rng.permutation(number).tolist()
        gap = angular_gap(normal[:, order[: number // 2]], normal[:, order[number // 2 :]], rng)
        found = max(found, float(gap.abs().max()))
    return found


def separated(gap: Sequence[float], noise: float) -> tuple[int, int] | None:
    """First and last layer of the widening gap; None where it nowhere exceeds the noise."""
    largest = max(gap)
    if not largest > max(noise, 0.0):
        return None
    last = gap.index(largest)
    first = next(i for i, g in enumerate(gap) if g > max(noise, BEGINS * largest) or i == last)
    return first, last


def refine(first: int, last: int, layers: int, count: Callable[[Sequence[int]], int]) -> tuple[int, int] | None:
    """Move the lower bound, then the upper one, to where most look-alikes are refused; None where none matters.

    Of equal counts the bound nearest to the given one is taken.
    """
    lows = {low: count(range(low, last + 1)) for low in range(max(0, first - WINDOW), min(first + WINDOW, last) + 1)}
    low = max(lows, key=lambda bound: (lows[bound], -abs(bound - first)))
    highs = {
        high: count(range(low, high + 1)) for high in range(max(low, last - WINDOW), min(last + WINDOW, layers - 1) + 1)
    }
    high = max(highs, key=lambda bound: (highs[bound], -abs(bound - last)))
    return (low, high) if len({*lows.values(), *highs.values()}) > 1 else None


def middle_band(layers: int) -> tuple[int, ...]:
    """The layers that the band of the depth touches."""
    low, high = BAND
    return tuple(range(math.floor(low * layers), math.ceil(high * layers)))


def layer_scores(layers: int, count: Count) -> tuple[float, ...]:
    """Signed score of every single layer: change of refusals per unit of scaling, of two scalings the larger.

    kappa = max over a of (count at 1 + a minus count at 1 - a) / a: positive where a layer drives refusal, negative
    where it works against it. A study of each layer alone; costs four rounds of answers per layer.
    """
    return tuple(max((count([i], 1 + a) - count([i], 1 - a)) / a for a in SCORED_AT) for i in range(layers))


def refusals_when_scaled(loaded: LoadedModel, alike: Sequence[Chat]) -> Count:
    """Counts the refused among prompts that only look harmful."""

    def count(layers: Sequence[int], factor: float) -> int:
        with scaled(loaded.model, layers, factor):
            answers = Generator(loaded).generate(alike, NEW_TOKENS)
        return sum(is_refusal(answer.text) for answer in answers)

    return count


@contextmanager
def scaled(model: PreTrainedModel, layers: Sequence[int], factor: float) -> Iterator[None]:
    """Inside, the weights of all linear layers of these blocks count times the factor; biases as they are."""

    def scale(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
        bias = module.bias if isinstance(module.bias, Tensor) else None
        return out * factor if bias is None else (out - bias) * factor + bias

    every = decoder_layers(model)
    if every is None:
        raise ModelError(
            f"no layers are found in {type(model).__name__}", expected="a decoder with a list of its layers"
        )
    linear = [m for i in layers for m in every[i].modules() if isinstance(m, nn.Linear | Conv1D)]
    hooks = [module.register_forward_hook(scale) for module in linear]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def spread(chats: Sequence[Chat], most: int) -> list[Chat]:
    """At most so many of the chats, evenly spread."""
    step = max(1, math.ceil(len(chats) / most))
    return list(chats[::step])
