"""The moments at which a method may act, and the narrow view of training it is given.

Order: setup (the model still has the base's weights), then in every optimiser step add_loss for each micro-batch,
edit_gradients once after accumulation and before clipping, after_step; finish once at the end. Methods act in the
order of the menu. A method changes nothing but what its moment is for, keeps no state that a step depends on (so
that training resumes from weights, optimiser and step number) and draws from its own generator only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from safety_assets.models.batch import Batch

Objective = Callable[[nn.Module, Batch], Tensor]
"""Model and batch to a scalar: a mean over the batch's response tokens, 0 where it has none."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a method sees of training.

    Args:
        model: the model in training.
        parameters: its trainable parameters as they stand, in a fixed order.
        reference: fp32 logits of the frozen base on a batch's response positions.  # (responses, vocab)
        safety_batches: origins and rows per batch to all rows of these origins as fixed batches, kinds in proportion;
            of several ranks, each has its own rows of the same batches (a row without response where none is left).
        compute_gradient: gradient of an objective on a batch, one tensor per parameter; dropout off, `.grad` untouched;
            of several ranks, that of the whole batch.
        rng: the method's own random numbers.
        steps: optimiser steps of the whole run.
        log: series name and value of the current step, for the history.
    """

    model: nn.Module
    parameters: Callable[[], list[nn.Parameter]]
    reference: Callable[[Batch], Tensor]
    safety_batches: Callable[[Sequence[str], int], list[Batch]]
    compute_gradient: Callable[[Objective, Batch], list[Tensor]]
    rng: np.random.Generator
    steps: int
    log: Callable[[str, float], None]


class Method:
    """A method that does nothing. Others override the moments they need; none calls super()."""

    def setup(self, context: Context) -> None:
        """Before the first step, also when training resumes: freeze, wrap, precompute. The weights are the base's."""

    def add_loss(self, context: Context, batch: Batch, step: int) -> Tensor | None:
        """A sum over the batch's response tokens (nats) to be added to their cross-entropy; None adds nothing."""
        return None

    def edit_gradients(self, context: Context, step: int) -> None:
        """Change `.grad` of the parameters in place: mean loss over the step's response tokens (of all ranks, and the
        same on all), not yet clipped. Sharded gradients are DTensors: elementwise work is as usual, a sum over entries
        is gradient_surgery.dot."""

    def after_step(self, context: Context, step: int) -> None:
        """After the optimiser's step."""

    def finish(self, context: Context) -> None:
        """After the last step: leave in the model the weights that will be served."""
