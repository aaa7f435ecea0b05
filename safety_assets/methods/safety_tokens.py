"""Safety tokens as a vector over the vocabulary: what the base says more in its refusals than its unaligned ancestor.

Refusals are read through both models, the same token ids through both. m is the mean difference of probability, q the
mean probability of the base; means over a refusal's first tokens, then over refusals. The tokens of largest q are kept;
their m, standardised and of length 1, is the vector, and 0 elsewhere. Wang et al., PACT, arXiv 2603.07445. The release
reads the ancestor in a plain-text prompt, so that its vector also holds what the two prompts make different.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from safety_assets.models.batch import pad_right, response_logits
from safety_assets.models.chat import Chat, Encoded, encode_chat
from safety_assets.models.load import LoadedModel

MOST_REFUSALS = 512
FIRST_TOKENS = 64
TOP = 50
"""Refusals that are read, tokens of each, and tokens that are kept."""

_BATCH_ROWS = 8


def read_safety_vector(base: LoadedModel, pretrained: LoadedModel, refusals: Sequence[Chat]) -> Tensor:
    """The vector of two models with one vocabulary.  # (vocab,) fp32, on the CPU

    Args:
        refusals: whole chats whose last answer refuses; the first MOST_REFUSALS are read.
    """
    encoded = [_last_answer(encode_chat(base.tokenizer, chat)) for chat in refusals[:MOST_REFUSALS]]
    shift, likelihood = _means(base, pretrained, encoded)
    return safety_vector(shift, likelihood)


def safety_vector(shift: Tensor, likelihood: Tensor, top: int = TOP) -> Tensor:
    """m of the `top` tokens of largest q, standardised, of length 1; 0 elsewhere, and everywhere where m is constant.

    Args:
        shift: m, mean difference of probability.  # (vocab,)
        likelihood: q, mean probability under the base.  # (vocab,)
    """
    kept = likelihood.topk(min(top, likelihood.numel())).indices
    own = shift[kept].double()
    own = own[own != 0]
    vector = torch.zeros(shift.shape, dtype=torch.float64)
    if own.numel() > 1 and own.std(correction=0) > 0:
        kept = kept[shift[kept] != 0]
        own = (own - own.mean()) / own.std(correction=0)
        vector[kept] = own / own.norm()
    return vector.float()


def _last_answer(encoded: Encoded) -> Encoded:
    """Only the first tokens of the last answer count."""
    last = max(place for place, own in enumerate(encoded.response) if own)
    start = last
    while start and encoded.response[start - 1]:
        start -= 1
    end = min(last + 1, start + FIRST_TOKENS)
    return Encoded(encoded.ids[:end], [start <= place < end for place in range(end)])


@torch.no_grad()
def _means(base: LoadedModel, pretrained: LoadedModel, rows: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
    """m and q.  # (vocab,) both"""
    vocab = base.model.config.get_text_config().vocab_size
    shift, likelihood = torch.zeros(vocab, dtype=torch.float64), torch.zeros(vocab, dtype=torch.float64)
    for start in range(0, len(rows), _BATCH_ROWS):
        some = rows[start : start + _BATCH_ROWS]
        own, other = (_per_row(model, some) for model in (base, pretrained))
        width = min(own.shape[1], other.shape[1])  # embeddings may be padded beyond the tokenizer's tokens
        likelihood[: own.shape[1]] += own.sum(0)
        shift[:width] += (own[:, :width] - other[:, :width]).sum(0)
    return shift / max(1, len(rows)), likelihood / max(1, len(rows))


def _per_row(loaded: LoadedModel, rows: Sequence[Encoded]) -> Tensor:
    """Mean probability of every token over each row's response positions.  # (rows, vocab) fp64, on the CPU"""
    batch = pad_right(rows, int(loaded.tokenizer.pad_token_id), loaded.device)
    with loaded.precision():
        probabilities = response_logits(loaded.model, batch).softmax(-1)
    parts = probabilities.split(batch.responses_per_row.tolist())
    return torch.stack([part.mean(0) for part in parts]).double().cpu()
