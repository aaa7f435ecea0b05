"""Where safety lives in a model: refusal direction, safety layers, tokens and neurons. Describes, changes nothing.

Refusal direction: the difference between the mean states of refused and complied prompts at the prompt's last
token, per layer (Arditi et al., arXiv 2406.11717). Separation of a layer: how often a refused prompt lies further
along it than a complied one (area under the ROC curve), each prompt judged by a direction found without it, so that
few prompts in many dimensions do not look separable by chance. Safety layers: methods/safety_layers.py. Neurons:
methods/safety_neurons.py. Safety tokens: first answer tokens that the base
says more often than its unaligned ancestor (after Qi et al., arXiv 2406.05946).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from safety_assets.errors import ModelError
from safety_assets.methods.safety_layers import SafetyLayers, locate, middle_band, refusals_when_scaled, spread
from safety_assets.methods.safety_neurons import Neuron, safety_neurons
from safety_assets.methods.safety_tokens import read_safety_vector
from safety_assets.models.activations import first_token_probabilities, last_token_states
from safety_assets.models.chat import Chat
from safety_assets.models.load import LoadedModel

ENOUGH = 4
"""Prompts of a kind from which halves of them can be compared."""
NUM_ALIKE = 64
"""Look-alikes that are answered for each bound of the safety layers."""
NUM_TOKENS = 20
"""Safety tokens that are named."""


@dataclass(frozen=True)
class Anatomy:
    """Where safety lives in one model.

    Args:
        directions: unit vector of each layer, from complied to refused; zero where they do not differ.
        separation: 0.5 (none) to 1 per layer, cross-validated.
        safety_layers: contiguous layers that tell malicious from normal prompts, 0-based, in order.
        safety_tokens: (token, shift of its mean probability); empty without a comparable ancestor.
        tokens_absent_because: why there are no safety tokens; None when there are.
        num_refused: prompts that the model refuses.
        num_complied: prompts that it answers.
        safety_vector: of all tokens, how much more the base says each in a refusal than its ancestor (methods/
            safety_tokens); None without a comparable ancestor, or where nobody read refusals.  # (vocab,)
        layers_found_by: localised, separation, middle band (methods/safety_layers.py); empty before they were sought.
        gap: angle of a normal to a malicious prompt minus that of two normal ones, radians, per layer.
        gap_noise: the largest gap that halves of the normal prompts show.
        neurons: (layer, number, effect) of the most telling neurons.
        projections: distance of refused from answered prompts along the direction, per layer.
        token_ids: of the safety tokens, in order.
        token_mass: probability that an answer to a refused prompt opens with one of them.
    """

    directions: Tensor  # (layers, width)
    separation: tuple[float, ...]
    safety_layers: tuple[int, ...]
    safety_tokens: tuple[tuple[str, float], ...]
    tokens_absent_because: str | None
    num_refused: int
    num_complied: int
    safety_vector: Tensor | None = None
    layers_found_by: str = ""
    gap: tuple[float, ...] = ()
    gap_noise: float = 0.0
    neurons: tuple[Neuron, ...] = ()
    projections: tuple[float, ...] = ()
    token_ids: tuple[int, ...] = ()
    token_mass: float | None = None


def describe(
    base: LoadedModel, pretrained: LoadedModel | None, refused: Sequence[Chat], complied: Sequence[Chat],
    refusals: Sequence[Chat] = (),
    alike: Sequence[Chat] = (),
) -> Anatomy:  # fmt: skip
    """The anatomy of a base model, from prompts it refuses and prompts it answers (two of each at least).

    Args:
        refusals: the refused prompts with their refusals, whole chats, for the safety vector.
        alike: prompts that only look harmful, on which the bounds of the safety layers are tried; without them the
            bounds are where the separation of states says.

    Raises:
        ModelError: too few prompts.
    """
    if min(len(refused), len(complied)) < 2:
        raise ModelError(
            f"{len(refused)} refused and {len(complied)} complied prompts", expected="at least 2 of each",
            do="add refusal and look-alike pairs",
        )  # fmt: skip
    one, other = last_token_states(base, refused), last_token_states(base, complied)  # (layers, chats, width)
    separation = tuple(separate(a, b) for a, b in zip(one, other, strict=True))
    absent = _not_comparable(base, pretrained)
    found = _safety_tokens(base, pretrained, refused) if pretrained and not absent else ()
    directions, ids = direction(one, other), tuple(i for i, _ in found)
    tokens = tuple((base.tokenizer.decode([i]), shift) for i, shift in found)
    plain = [i for i, chat in enumerate(complied) if chat not in alike]
    layers = _layers(base, other[:, plain] if len(plain) >= ENOUGH else other, one, alike)
    vector = read_safety_vector(base, pretrained, refusals) if pretrained and not absent and refusals else None
    return Anatomy(
        directions, separation, layers.layers, tokens, absent, len(refused), len(complied),
        safety_vector=vector, layers_found_by=layers.found_by, gap=layers.gap, gap_noise=layers.noise,
        neurons=safety_neurons(base, refused, complied) if min(len(refused), len(complied)) >= ENOUGH else (),
        projections=gaps_along(directions, one, other), token_ids=ids,
        token_mass=float(first_token_probabilities(base, refused)[:, list(ids)].sum(-1).mean()) if ids else None,
    )  # fmt: skip


def _layers(base: LoadedModel, normal: Tensor, malicious: Tensor, alike: Sequence[Chat]) -> SafetyLayers:
    if normal.shape[1] < ENOUGH:
        return SafetyLayers(middle_band(len(normal)), "middle band", (), 0.0)
    asked = spread(alike, NUM_ALIKE)
    return locate(normal, malicious, refusals_when_scaled(base, asked) if len(asked) >= ENOUGH else None)


def gaps_along(directions: Tensor, refused: Tensor, complied: Tensor) -> tuple[float, ...]:
    """Distance of the mean refused from the mean complied state along a direction, per layer.

    Args:
        directions: unit vectors.  # (layers, width)
        refused, complied: states.  # (layers, chats, width)
    """
    return tuple(((refused.mean(1) - complied.mean(1)) * directions).sum(-1).tolist())


def direction(refused: Tensor, complied: Tensor) -> Tensor:
    """Unit vector from the mean complied to the mean refused state; (..., chats, width) twice to (..., width)."""
    difference = refused.mean(-2) - complied.mean(-2)
    norm = difference.norm(dim=-1, keepdim=True)
    return difference / norm.clamp(min=torch.finfo(difference.dtype).tiny)


def separate(refused: Tensor, complied: Tensor) -> float:
    """Area under the ROC curve of one layer's states along a direction found on the other half; 0.5 at least.

    Args:
        refused: states.  # (refused chats, width)
        complied: states.  # (complied chats, width)
    """
    areas = []
    for fold in (0, 1):
        unit = direction(refused[1 - fold :: 2], complied[1 - fold :: 2])
        areas.append(area(refused[fold::2] @ unit, complied[fold::2] @ unit))
    return max(0.5, sum(areas) / 2)


def area(higher: Tensor, lower: Tensor) -> float:
    """Share of pairs in which the first is greater, a tie counting half.  # (m,), (n,)"""
    gap = higher[:, None] - lower[None, :]  # (m, n)
    return float((gap > 0).double().mean() + (gap == 0).double().mean() / 2)


def _not_comparable(base: LoadedModel, pretrained: LoadedModel | None) -> str | None:
    if pretrained is None:
        return "the project names no pretrained model"
    if base.tokenizer.get_vocab() != pretrained.tokenizer.get_vocab():
        return "base and pretrained model have different vocabularies"
    return None


def _safety_tokens(
    base: LoadedModel, pretrained: LoadedModel, refused: Sequence[Chat]
) -> tuple[tuple[int, float], ...]:
    """Ids and shifts, the largest first."""
    shift = (first_token_probabilities(base, refused) - first_token_probabilities(pretrained, refused)).mean(0)
    values, ids = shift.topk(min(NUM_TOKENS, shift.numel()))
    found = zip(ids.tolist(), values.tolist(), strict=True)
    return tuple((i, value) for i, value in found if value > 0)
