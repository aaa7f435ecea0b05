"""What a method sees of training: builds the narrow context of moments.Context."""

import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from safety_assets.methods.anatomy import Anatomy
from safety_assets.methods.moments import Context, Objective
from safety_assets.models.batch import Batch, pad_right, response_logits
from safety_assets.models.load import LoadedModel, Precision, load_model
from safety_assets.models.ranks import ALONE, Ranks
from safety_assets.models.rows import Row
from safety_assets.models.shards import shard
from safety_assets.training.batches import interleave
from safety_assets.training.monitor import undisturbed

AsBase = Callable[[], AbstractContextManager[object] | None]


@dataclass(frozen=True, kw_only=True)
class View:
    """What the contexts of all methods of a run share.

    Args:
        loaded: the model in training.
        rows: all training rows, harmful ones behind them.
        ranks: the processes that train the model.
        steps: optimiser steps of the run.
        seed: of the run.
        anatomy: where safety lives in the base.
        as_base: a context in which the model in training is the base; None where only a second copy is.
        task_gradient: see moments.Context.
        rate: learning rate of the step that was taken last.
        safety_weight: see moments.Context.
        log: takes a series and a value.
    """

    loaded: LoadedModel
    rows: Sequence[Row]
    ranks: Ranks
    steps: int
    seed: int
    anatomy: Callable[[], Anatomy]
    as_base: AsBase
    task_gradient: Callable[[Sequence[Tensor] | None], list[Tensor]]
    rate: Callable[[], float]
    safety_weight: Callable[[], float]
    log: Callable[[str, float], None]

    def context(self, of: object) -> Context:
        """The context of one method or of all instruments; its class names its stream of random numbers."""
        name = zlib.crc32(type(of).__name__.encode())

        def batches(origins: Sequence[str], batch_rows: int) -> list[Batch]:
            return self._batches(origins, batch_rows, np.random.default_rng([self.seed, name, 1]))

        return Context(
            model=self.loaded.model,
            tokenizer=self.loaded.tokenizer,
            parameters=lambda: trainable_parameters(self.loaded.model),
            rows=self.rows,
            batch=self.batch,
            whole_batch=self.whole_batch,
            batches=batches,
            reference=_reference(self.loaded, self.ranks, self.as_base),
            compute_gradient=lambda objective, given, wrt: compute_gradient(
                self.loaded, objective, given, self.ranks, wrt
            ),
            task_gradient=self.task_gradient,
            anatomy=self.anatomy,
            rng=np.random.default_rng([self.seed, name]),
            steps=self.steps,
            sharded=self.ranks.sharded,
            rate=self.rate,
            safety_weight=self.safety_weight,
            log=self.log,
        )

    def batch(self, places: Sequence[int]) -> Batch:
        """This rank's rows of a batch, padded."""
        pad = int(self.loaded.tokenizer.pad_token_id)
        own = self.ranks.own([self.rows[i].encoded for i in places])
        return pad_right(own, pad, self.loaded.device, places[self.ranks.rank :: self.ranks.size])

    def whole_batch(self, places: Sequence[int]) -> Batch:
        """All rows of a batch, on every rank."""
        pad = int(self.loaded.tokenizer.pad_token_id)
        return pad_right([self.rows[i].encoded for i in places], pad, self.loaded.device, places)

    def _batches(self, origins: Sequence[str], size: int, rng: np.random.Generator) -> list[Batch]:
        kinds = [[i for i, row in enumerate(self.rows) if row.origin == origin] for origin in origins]
        order = interleave(kinds, rng)
        return [self.batch(order[i : i + size]) for i in range(0, len(order), size)]


def trainable_parameters(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that are trained, in the model's order."""
    return [p for p in model.parameters() if p.requires_grad]


def compute_gradient(
    loaded: LoadedModel,
    objective: Objective,
    given: Batch | Sequence[Batch],
    ranks: Ranks = ALONE,
    wrt: Sequence[Tensor] | None = None,
) -> list[Tensor]:
    """Gradient of an objective over all batches together: dropout off, `.grad` and random state untouched.

    The objective is a mean over response tokens; each batch's (and each rank's) counts as much as its share of them.
    """
    batches = [given] if isinstance(given, Batch) else list(given)
    total = max(1, ranks.total(sum(b.num_responses for b in batches)))

    def backward() -> None:
        for batch in batches:
            with loaded.precision():
                value = objective(loaded.model, batch)
            (value * (batch.num_responses / total)).backward()

    return gradient_of(loaded, backward, ranks, wrt)


def gradient_of(
    loaded: LoadedModel, backward: Callable[[], None], ranks: Ranks, wrt: Sequence[Tensor] | None
) -> list[Tensor]:
    """What a backward pass leaves on the trainable parameters, or on others, of all ranks together.

    It goes through `backward`, because sharded parameters get their gradients there and nowhere else; what `.grad` held
    is put back.
    """
    parameters = trainable_parameters(loaded.model)
    touched: list[Tensor] = [*parameters, *(wrt or ())]
    before = [t.grad for t in touched]
    for tensor in touched:
        tensor.grad = None
    with undisturbed(loaded.model):
        backward()
    wanted = parameters if wrt is None else wrt
    found = [torch.zeros_like(t) if t.grad is None else t.grad for t in wanted]
    for tensor, gradient in zip(touched, before, strict=True):
        tensor.grad = gradient
    ranks.add_up(found)
    return found


def _reference(loaded: LoadedModel, ranks: Ranks, as_base: AsBase) -> Callable[[Batch], Tensor]:
    """Logits of the frozen base: of the model itself where it is or can be made the base, else of a second copy.

    Sharded training asks a second copy in any case: the weights are not on their devices before they are cut.
    """

    @cache
    def second() -> LoadedModel:
        precision: Precision = "bf16" if loaded.autocast else "fp32"
        place = str(loaded.device)
        base = load_model(loaded.folder, device=place, precision=precision, in_host_memory=ranks.sharded)
        if ranks.sharded:
            shard(base.model, base.device)
        return base

    @torch.no_grad()
    def logits(batch: Batch) -> Tensor:
        bare = None if ranks.sharded else as_base()
        with ExitStack() as stack:
            if bare is not None:
                stack.enter_context(bare)
            base = second() if bare is None else loaded
            stack.enter_context(undisturbed(base.model))
            with base.precision():
                return response_logits(base.model, batch)

    return logits
