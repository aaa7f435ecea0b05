"""Where safety lives in a model: refusal direction, safety layers, safety tokens. Describes, changes nothing.

Refusal direction: the difference between the mean states of refused and complied prompts at the prompt's last
token, per layer (Arditi et al., arXiv 2406.11717). Separation of a layer: how often a refused prompt lies further
along it than a complied one (area under the ROC curve), each prompt judged by a direction found without it, so that
few prompts in many dimensions do not look separable by chance. Safety tokens: first answer tokens that the base
says more often than its unaligned ancestor (after Qi et al., arXiv 2406.05946).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from safety_assets.errors import ModelError
from safety_assets.methods.safety_tokens import read_safety_vector
from safety_assets.models.activations import first_token_probabilities, last_token_states
from safety_assets.models.chat import Chat
from safety_assets.models.load import LoadedModel

NUM_TOKENS = 20
"""Safety tokens that are named."""


@dataclass(frozen=True)
class Anatomy:
    """Where safety lives in one model.

    Args:
        directions: unit vector of each layer, from complied to refused; zero where they do not differ.
        separation: 0.5 (none) to 1 per layer, cross-validated.
        safety_layers: the most separating layers, 0-based, in order: those within 0.02 of the best.
        safety_tokens: (token, shift of its mean probability); empty without a comparable ancestor.
        tokens_absent_because: why there are no safety tokens; None when there are.
        num_refused: prompts that the model refuses.
        num_complied: prompts that it answers.
        safety_vector: of all tokens, how much more the base says each in a refusal than its ancestor (methods/
            safety_tokens); None without a comparable ancestor, or where nobody read refusals.  # (vocab,)
    """

    directions: Tensor  # (layers, width)
    separation: tuple[float, ...]
    safety_layers: tuple[int, ...]
    safety_tokens: tuple[tuple[str, float], ...]
    tokens_absent_because: str | None
    num_refused: int
    num_complied: int
    safety_vector: Tensor | None = None


def describe(
    base: LoadedModel, pretrained: LoadedModel | None, refused: Sequence[Chat], complied: Sequence[Chat],
    refusals: Sequence[Chat] = (),
) -> Anatomy:  # fmt: skip
    """The anatomy of a base model, from prompts it refuses and prompts it answers (two of each at least).

    Args:
        refusals: the refused prompts with their refusals, whole chats, for the safety vector.

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
    tokens = _safety_tokens(base, pretrained, refused) if pretrained and not absent else ()
    layers = tuple(i for i, s in enumerate(separation) if s >= max(separation) - 0.02)
    vector = read_safety_vector(base, pretrained, refusals) if pretrained and not absent and refusals else None
    return Anatomy(direction(one, other), separation, layers, tokens, absent, len(refused), len(complied), vector)


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
) -> tuple[tuple[str, float], ...]:
    shift = (first_token_probabilities(base, refused) - first_token_probabilities(pretrained, refused)).mean(0)
    values, ids = shift.topk(min(NUM_TOKENS, shift.numel()))
    found = zip(ids.tolist(), values.tolist(), strict=True)
    return tuple((base.tokenizer.decode([i]), value) for i, value in found if value > 0)
