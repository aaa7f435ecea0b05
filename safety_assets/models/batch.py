"""Rows of token ids as tensors, and the logits of the response tokens only."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from safety_assets.models.chat import Encoded


@dataclass(frozen=True)
class Batch:
    """Chats of one forward pass, padded on the right.

    Padding needs no attention mask: it stands behind every token that counts, and attention is causal.

    Args:
        ids: token ids, int64.  # (rows, tokens)
        response: which tokens the assistant said, bool, False on padding.  # (rows, tokens)
        weights: what each response token of a row counts in the loss, fp32; None: all 1.  # (rows,)
        marks: bits of models.marks of every token, uint8; None: none is marked.  # (rows, tokens)
        places: where its rows stand among the training rows; empty when it is not made of them.
    """

    ids: Tensor
    response: Tensor
    weights: Tensor | None = None
    places: tuple[int, ...] = ()
    marks: Tensor | None = None

    @property
    def num_rows(self) -> int:
        return self.ids.shape[0]

    @property
    def targets(self) -> Tensor:
        """The response tokens, row by row.  # (responses,)"""
        return self.ids[:, 1:][self.response[:, 1:]]

    @property
    def target_marks(self) -> Tensor:
        """Marks of the targets, uint8.  # (responses,)"""
        marks = torch.zeros_like(self.ids, dtype=torch.uint8) if self.marks is None else self.marks
        return marks[:, 1:][self.response[:, 1:]]

    @property
    def num_responses(self) -> int:
        """Response tokens that are predicted; the first token of a row never is."""
        return int(self.response[:, 1:].sum())

    @property
    def responses_per_row(self) -> Tensor:
        """How many of the targets are of each row.  # (rows,)"""
        return self.response[:, 1:].sum(1)

    @property
    def depth(self) -> Tensor:
        """Of each target, how many tokens of its answer stand before it; 0 is an answer's first.  # (responses,)"""
        said = self.response.long()
        count = said.cumsum(1)
        opens = (said - torch.nn.functional.pad(said, (1, 0))[:, :-1]).clamp(min=0) * count
        return (count - opens.cummax(1).values)[:, 1:][self.response[:, 1:]]


def pad_right(rows: Sequence[Encoded], pad_id: int, device: torch.device, places: Sequence[int] = ()) -> Batch:
    """Encoded chats as one batch, as wide as the longest; `places` says where they stand among the training rows."""
    width = max(len(r.ids) for r in rows)
    ids = torch.tensor([r.ids + [pad_id] * (width - len(r.ids)) for r in rows])
    response = torch.tensor([r.response + [False] * (width - len(r.response)) for r in rows])
    lighter = any(r.weight != 1.0 for r in rows)
    weights = torch.tensor([r.weight for r in rows], dtype=torch.float32).to(device) if lighter else None
    return Batch(ids.to(device), response.to(device), weights, tuple(places), _marks(rows, width, device))


def _marks(rows: Sequence[Encoded], width: int, device: torch.device) -> Tensor | None:
    if not any(any(r.marks) for r in rows):
        return None
    return torch.tensor([list(r.marks.ljust(width, b"\0")) for r in rows], dtype=torch.uint8).to(device)


def pad_left(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Prompts as (ids, mask), int64, so that all end in the last column.  # (rows, tokens) both"""
    width = max(len(r) for r in rows)
    ids = torch.tensor([[pad_id] * (width - len(r)) + list(r) for r in rows])
    mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows])
    return ids.to(device), mask.to(device)


def positions(mask: Tensor) -> Tensor:
    """Position ids under a left-padded mask: 0 at each row's first token.  # (rows, tokens)"""
    return (mask.cumsum(-1) - 1).clamp_(min=0)


def response_logits(model: nn.Module, batch: Batch) -> Tensor:
    """fp32 logits that predict `batch.targets`, from an output layer run on those positions alone.

    Shape (responses, vocab).
    """
    keep = batch.response[:, 1:]  # (rows, tokens - 1): position t predicts token t + 1
    logits = model(input_ids=batch.ids[:, :-1], use_cache=False, logits_to_keep=keep).logits
    if logits.dim() == 3:  # a model that knows no logits_to_keep gives all positions
        logits = logits[keep]
    return logits.float()


def response_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Sum of the cross-entropy over the batch's response tokens, each times its row's weight, nats, fp32, a scalar."""
    return weighted_loss(response_logits(model, batch), batch)


def weighted_loss(logits: Tensor, batch: Batch, tokens: Tensor | None = None) -> Tensor:
    """The same from logits, each token also times its own weight.

    Args:
        logits: that predict the batch's targets.  # (responses, vocab)
        tokens: what each response token counts; None: all 1.  # (responses,)
    """
    if batch.weights is None and tokens is None:
        return functional.cross_entropy(logits, batch.targets, reduction="sum")
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    if batch.weights is not None:
        losses = losses * batch.weights.repeat_interleave(batch.responses_per_row)
    return (losses if tokens is None else losses * tokens).sum()
