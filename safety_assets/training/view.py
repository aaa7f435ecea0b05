"""What a method sees of training: builds the narrow context of moments.Context."""

import zlib
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from safety_assets.methods.moments import Context, Method, Objective
from safety_assets.models.batch import Batch, pad_right, response_logits
from safety_assets.models.load import LoadedModel, Precision, load_model
from safety_assets.models.ranks import ALONE, Ranks
from safety_assets.models.shards import shard
from safety_assets.training.batches import interleave
from safety_assets.training.encode import Row
from safety_assets.training.monitor import undisturbed


def build_context(
    loaded: LoadedModel,
    method: Method,
    rows: Sequence[Row],
    *,
    ranks: Ranks,
    steps: int,
    seed: int,
    log: Callable[[str, float], None],
    untrained: Callable[[], bool] = lambda: False,
) -> Context:
    """The context of one method.

    Args:
        loaded: the model in training.
        method: its class names its stream of random numbers.
        rows: all training rows; safety batches are drawn from the injected ones.
        ranks: the processes that train the model.
        steps: optimiser steps of the run.
        seed: of the run.
        log: takes a series and a value.
        untrained: whether the model still is the base.
    """
    name = zlib.crc32(type(method).__name__.encode())

    def safety_batches(origins: Sequence[str], batch_rows: int) -> list[Batch]:
        return _safety_batches(loaded, rows, ranks, origins, batch_rows, np.random.default_rng([seed, name, 1]))

    return Context(
        model=loaded.model,
        parameters=lambda: trainable_parameters(loaded.model),
        reference=_reference(loaded, ranks, untrained),
        safety_batches=safety_batches,
        compute_gradient=lambda objective, batch: compute_gradient(loaded, objective, batch, ranks),
        rng=np.random.default_rng([seed, name]),
        steps=steps,
        log=log,
    )


def trainable_parameters(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that are trained, in the model's order."""
    return [p for p in model.parameters() if p.requires_grad]


def compute_gradient(loaded: LoadedModel, objective: Objective, batch: Batch, ranks: Ranks = ALONE) -> list[Tensor]:
    """Gradient of an objective, one tensor per trainable parameter: dropout off, `.grad` and random state untouched.

    The objective is a mean over response tokens; each rank's counts as much as its share of them. It goes through
    `backward`, because sharded parameters get their gradients there and nowhere else.
    """
    parameters = trainable_parameters(loaded.model)
    before = [p.grad for p in parameters]
    for parameter in parameters:
        parameter.grad = None
    share = batch.num_responses / max(1, ranks.total(batch.num_responses))
    with undisturbed(loaded.model):
        with loaded.precision():
            value = objective(loaded.model, batch)
        (value * share).backward()
    found = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    for parameter, gradient in zip(parameters, before, strict=True):
        parameter.grad = gradient
    ranks.add_up(found)
    return found


def _reference(loaded: LoadedModel, ranks: Ranks, untrained: Callable[[], bool]) -> Callable[[Batch], Tensor]:
    """Logits of the frozen base: of the model itself while it is untrained, else of a second copy from its folder.

    Sharded training asks a second copy in any case: the weights are not on their devices before they are cut.
    """

    @cache
    def frozen() -> LoadedModel:
        precision: Precision = "bf16" if loaded.autocast else "fp32"
        place = str(loaded.device)
        base = load_model(loaded.folder, device=place, precision=precision, in_host_memory=ranks.sharded)
        if ranks.sharded:
            shard(base.model, base.device)
        return base

    @torch.no_grad()
    def logits(batch: Batch) -> Tensor:
        base = loaded if untrained() and not ranks.sharded else frozen()
        with undisturbed(base.model), base.precision():
            return response_logits(base.model, batch)

    return logits


def _safety_batches(
    loaded: LoadedModel,
    rows: Sequence[Row],
    ranks: Ranks,
    origins: Sequence[str],
    size: int,
    rng: np.random.Generator,
) -> list[Batch]:
    kinds = [[i for i, row in enumerate(rows) if row.origin == origin] for origin in origins]
    order = interleave(kinds, rng)
    pieces = [order[i : i + size] for i in range(0, len(order), size)]
    pad = int(loaded.tokenizer.pad_token_id)
    return [pad_right(ranks.own([rows[i].encoded for i in piece]), pad, loaded.device) for piece in pieces]
