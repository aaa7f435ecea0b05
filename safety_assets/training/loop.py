"""The training loop: one function, to be read from top to bottom."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from safety_assets.errors import TrainingError
from safety_assets.methods.moments import Context, Method
from safety_assets.models.batch import Batch
from safety_assets.models.load import LoadedModel
from safety_assets.models.ranks import Ranks
from safety_assets.models.shards import full
from safety_assets.recipes import Optimiser
from safety_assets.training.loss import batch_loss
from safety_assets.training.monitor import Watcher
from safety_assets.training.progress import Progress
from safety_assets.training.schedule import learning_rate

REPORT_EVERY = 10
"""Optimiser steps between two step events."""


@dataclass(frozen=True)
class StepRows:
    """The rows of one optimiser step: this rank's micro-batches; tokens, rows and injected rows of all ranks."""

    batches: Sequence[Batch]
    num_tokens: int
    num_rows: int
    num_injected: int


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the loop works with.

    Args:
        loaded: the model in training.
        ranks: the processes that train it together; alone, one.
        parameters: its trainable parameters.
        optimiser: AdamW over them.
        settings: the recipe's optimiser.
        rows: step number (0-based) to the rows of that step.
        methods: in the order in which they act.
        contexts: what each method sees of training.
        watcher: the monitor; None when nothing is watched.
        save: writes the resumable state.
        save_is_due: whether it is time to do so unasked.
        should_stop: whether someone asked to stop.
        report: takes an event.
    """

    loaded: LoadedModel
    ranks: Ranks
    parameters: list[nn.Parameter]
    optimiser: Optimizer
    settings: Optimiser
    rows: Callable[[int], StepRows]
    methods: Sequence[Method]
    contexts: Sequence[Context]
    watcher: Watcher | None
    save: Callable[[Progress], None]
    save_is_due: Callable[[], bool]
    should_stop: Callable[[], bool]
    report: Callable[[dict], None]


def run_steps(job: Job, progress: Progress) -> Progress:
    """Train from where `progress` stands to the last step; the progress at the end.

    The loss of a step is the sum of the cross-entropy over its response tokens divided by their number, in fp32,
    whatever the micro-batches and the ranks. The tokens of a row of weight w enter the sum times w and the number
    whole: a lighter row pulls w times as hard as it would, and no other row pulls harder for it.

    Raises:
        TrainingError: asked to stop (the state is saved first), a loss or gradient that is not finite, or the
            monitor gave up.
    """
    model, settings = job.loaded.model, job.settings
    acting = list(zip(job.methods, job.contexts, strict=True))
    model.train()
    if job.watcher:
        job.watcher.begin(progress)

    while progress.step < settings.steps:
        step = progress.step
        if job.ranks.any(job.should_stop()):
            job.save(progress)
            raise TrainingError(
                f"interrupted after step {step} of {settings.steps}; the state is saved",
                do="launch the same training again: it goes on from there",
            )
        if job.ranks.any(job.save_is_due()):
            job.save(progress)

        # Sum over response tokens / their number: independent of how the rows are cut into micro-batches and ranks.
        rows = job.rows(step)
        total = torch.zeros((), device=job.loaded.device)
        for batch in rows.batches:
            with job.loaded.precision():
                loss = batch_loss(model, batch, acting, step)
            (loss / rows.num_tokens).backward()
            total += loss.detach()
        job.ranks.add_up([total, *(p.grad for p in job.parameters if p.grad is not None)])
        mean_loss = float(total) / rows.num_tokens

        # Surgery is not linear: once per step, on the whole gradient, before clipping.
        for method, context in acting:
            method.edit_gradients(context, step)
        norm = float(full(nn.utils.clip_grad_norm_(job.parameters, settings.clip)))
        if not (math.isfinite(mean_loss) and math.isfinite(norm)):
            raise TrainingError(
                f"step {step + 1}: the loss is {mean_loss} and the norm of the gradient {norm}",
                expected="finite numbers",
                do="lower the learning rate, or set precision: fp32 in the recipe",
            )
        rate = learning_rate(settings, step) * progress.factor
        for group in job.optimiser.param_groups:
            group["lr"] = rate
        job.optimiser.step()
        job.optimiser.zero_grad(set_to_none=True)
        for method, context in acting:
            method.after_step(context, step)

        progress.step += 1
        progress.num_rows += rows.num_rows
        progress.num_injected += rows.num_injected
        progress.note("loss", mean_loss)
        progress.note("learning_rate", rate)
        progress.note("gradient_norm", norm)
        if progress.step % REPORT_EVERY == 0 or progress.step in (1, settings.steps):
            event = {"event": "step", "step": progress.step, "steps": settings.steps}
            job.report(event | {"loss": mean_loss, "learning_rate": rate})
        if job.watcher:
            progress = job.watcher.look(progress)
    return progress
