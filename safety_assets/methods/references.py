"""What is kept of the base's answer at response positions, and the divergence from it.

Of small vocabularies everything is kept; of large ones the likeliest tokens, and all others as one outcome, which
bounds the divergence from below.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

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
    tokens: Tensor | None


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


def _with_rest(logprobs: Tensor) -> Tensor:
    """Log-probabilities with that of everything else as a last column."""
    rest = torch.log1p(-logprobs.exp().sum(-1, keepdim=True).clamp(max=1 - 1e-6))
    return torch.cat([logprobs, rest], dim=-1)
