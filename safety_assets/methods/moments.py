"""The moments at which a method may act, and the narrow view of training it is given.

Order: setup (the model still has the base's weights); then in every optimiser step, for each micro-batch, weigh_tokens
and add_loss; once after accumulation and before clipping edit_gradients; after the optimiser after_step; once at the
end finish. Methods act in the order of their places (method_specs.Place). A method changes nothing but what its moment
is for and draws from its own generator only. What its steps depend on besides weights, optimiser and step number it
names in `state`, so that training resumes to the same weights.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from safety_assets.methods.anatomy import Anatomy
from safety_assets.models.batch import Batch
from safety_assets.models.rows import Row

Objective = Callable[[nn.Module, Batch], Tensor]
"""Model and batch to a scalar: a mean over the batch's response tokens, 0 where it has none."""


@dataclass(frozen=True)
class Passes:
    """What a method adds to one optimiser step, in passes of one batch through a model.

    Args:
        forward: through the model in training.
        backward: through the model in training.
        reference: forward through the frozen base.
    """

    forward: int = 0
    backward: int = 0
    reference: int = 0


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a method sees of training.

    Args:
        model: the model in training.
        tokenizer: that of the base; rows are encoded with it.
        parameters: its trainable parameters as they stand, in a fixed order.
        rows: the training rows; behind them, where a method needs them, the harmful ones: prompts of the refusal rows
            (same row id) answered by a marked placeholder, origin `harmful`.
        batch: places in `rows` to a batch; of several ranks, this one's rows of it (a row without response where
            none is left).
        whole_batch: the same with all rows on every rank, for what each keeps of rows that any may be handed.
        batches: origins and rows per batch to all rows of these origins as fixed batches, kinds in proportion.
        reference: fp32 logits of the frozen base on a batch's response positions, by the cheapest way there is: the
            model itself while it is the base, or with its adapters off; else a second copy.  # (responses, vocab)
        compute_gradient: gradient of an objective over one batch or several, one tensor per parameter (or per tensor
            of `wrt`); dropout off, `.grad` untouched; of several ranks, that of all their rows.
        task_gradient: the same for the loss of the current step as the loop takes it, weights and added terms of the
            methods included.
        anatomy: where safety lives in the base.
        rng: the method's own random numbers.
        steps: optimiser steps of the whole run.
        sharded: whether weights are cut over ranks, which happens after setup.
        rate: learning rate of the optimiser step that was taken last.
        safety_weight: what the strength of a safety term is multiplied by; 1 unless the monitor raised it.
        log: series name and value of the current step, for the history.
    """

    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    parameters: Callable[[], list[nn.Parameter]]
    rows: Sequence[Row]
    batch: Callable[[Sequence[int]], Batch]
    whole_batch: Callable[[Sequence[int]], Batch]
    batches: Callable[[Sequence[str], int], list[Batch]]
    reference: Callable[[Batch], Tensor]
    compute_gradient: "ComputeGradient"
    task_gradient: Callable[[Sequence[Tensor] | None], list[Tensor]]
    anatomy: Callable[[], Anatomy]
    rng: np.random.Generator
    steps: int
    sharded: bool
    rate: Callable[[], float]
    safety_weight: Callable[[], float]
    log: Callable[[str, float], None]


ComputeGradient = Callable[[Objective, Batch | Sequence[Batch], Sequence[Tensor] | None], list[Tensor]]


class Method:
    """A method that does nothing. Others override the moments they need; none calls super()."""

    def setup(self, context: Context) -> None:
        """Before the first step, also when training resumes: freeze, wrap, precompute. The weights are the base's."""

    def weigh_tokens(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """What each response token counts in the cross-entropy, at least 0; weights of several methods multiply.

        Args:
            logits: of the model in training, detached.  # (responses, vocab)

        Returns:
            (responses,), or None for all 1.
        """
        return None

    def add_loss(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """A sum over the batch's response tokens (nats) to be added to their cross-entropy; None adds nothing.

        Args:
            logits: of the model in training, differentiable.  # (responses, vocab)
        """
        return None

    def edit_gradients(self, context: Context, step: int) -> None:
        """Change `.grad` of the parameters in place: mean loss over the step's response tokens (of all ranks, and the
        same on all), not yet clipped. Sharded gradients are DTensors: elementwise work is as usual, a sum over entries
        is gradients.dot."""

    def after_step(self, context: Context, step: int) -> None:
        """After the optimiser's step: move the weights, never the optimiser's moments."""

    def finish(self, context: Context) -> None:
        """After the last step: leave in the model the weights that will be served."""

    def as_base(self, context: Context) -> AbstractContextManager[object] | None:
        """A context in which the model is the base, where that can be had by switching something off."""
        return None

    def state(self) -> Mapping[str, Tensor]:
        """Tensors that the next steps depend on; saved and restored with the weights."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""

    def passes(self, step: int) -> Passes:
        """What this method adds to one optimiser step (0-based); a contract test counts them."""
        return Passes()
