"""What is kept of the base's answer at response positions, and the divergence from it.

Of small vocabularies everything is kept; of large ones the likeliest tokens, and all others as one outcome, which
bounds the divergence from below.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from safety_assets.methods.moments import Context
from safety_assets.models.batch import Batch

TOP = 1024
"""Reference tokens kept per position."""

WHOLE_VOCABULARY = 16384
"""Largest vocabulary of which all log-probabilities are kept."""


@dataclass(frozen=True)
class Reference:
    """Log-probabilities of the base at the response positions of one batch.

    Args:
        logprobs: nats, fp32; the whole vocabulary, or the likeliest tokens and, last, all others together.
        tokens: which tokens, when not the whole vocabulary.  # (responses, kept)
    """

    logprobs: Tensor  # (responses, kept or kept + 1)
    tokens: Tensor | None = None


def keep_reference(logits: Tensor, temperature: float) -> Reference:
    """What is kept of the base's logits, (responses, vocab): all of it, or the TOP likeliest and the rest as one."""
    logprobs = (logits.float() / temperature).log_softmax(-1)
    if logits.shape[-1] <= WHOLE_VOCABULARY:
        return Reference(logprobs, None)
    top, tokens = logprobs.topk(TOP, dim=-1)
    return Reference(_with_rest(top), tokens)


def forward_kl(reference: Reference, logits: Tensor, temperature: float) -> Tensor:
    """KL(base || model), nats: summed over the vocabulary, mean over response positions; a scalar, at least 0."""
    logprobs = (logits.float() / temperature).log_softmax(-1)
    if reference.tokens is not None:
        logprobs = _with_rest(logprobs.gather(-1, reference.tokens))
    weight = reference.logprobs.exp()
    return (weight * (reference.logprobs - logprobs)).sum() / max(1, logprobs.shape[0])


def token_kl(reference: Reference, logits: Tensor, *, reverse: bool = False) -> Tensor:
    """KL(base || model) at each response position, nats; reversed, KL(model || base).

    Args:
        reference: of the same positions, at temperature 1.
        logits: of the model.  # (responses, vocab)

    Returns:
        (responses,)
    """
    logprobs = logits.float().log_softmax(-1)
    if reference.tokens is not None:
        logprobs = _with_rest(logprobs.gather(-1, reference.tokens.long()))
    gap = reference.logprobs - logprobs
    return -(logprobs.exp() * gap).sum(-1) if reverse else (reference.logprobs.exp() * gap).sum(-1)


def read_reference(context: Context) -> Callable[[Batch], tuple[Tensor, ...]]:
    """What is kept of the base's answer on a batch, as the fields of a Reference, indices in four bytes."""

    def read(batch: Batch) -> tuple[Tensor, ...]:
        found = keep_reference(context.reference(batch), 1.0)
        return (found.logprobs,) if found.tokens is None else (found.logprobs, found.tokens.int())

    return read


def _with_rest(logprobs: Tensor) -> Tensor:
    """Log-probabilities with that of everything else as a last column."""
    rest = torch.log1p(-logprobs.exp().sum(-1, keepdim=True).clamp(max=1 - 1e-6))
    return torch.cat([logprobs, rest], dim=-1)
