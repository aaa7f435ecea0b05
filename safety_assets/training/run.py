"""One training run: a recipe, a base model and audited rows to a checkpoint with its history."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from safety_assets.models.chat import template_digest
from safety_assets.models.checkpoint import export_model
from safety_assets.models.ranks import ALONE, Ranks
from safety_assets.training.encode import Quarantined
from safety_assets.training.loop import run_steps
from safety_assets.training.monitor import Watch
from safety_assets.training.opened import Run, open_run, training_tokenizer
from safety_assets.training.order import TrainingOrder
from safety_assets.training.progress import Progress


@dataclass(frozen=True)
class Trained:
    """A finished run.

    Args:
        model: folder of the trained model.
        history: a HISTORY table: loss, learning_rate, gradient_norm, watch/<dimension>, ...
        facts: realised_share, num_rows, seconds, monitor_actions, quarantined rows, ...
    """

    model: Path
    history: pl.DataFrame
    facts: dict


def train(
    order: TrainingOrder,
    *,
    watch: Watch | None = None,
    report: Callable[[dict], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train one recipe; goes on where an interrupted run of the same order stopped, to the same weights.

    Where `train_steps` took all steps on several devices, this one process finishes: methods, weights, facts.

    Args:
        order: what to train.
        watch: scores a generator over the watch probes; None when nothing is watched.
        report: takes events: step, watch, monitor, done.
        should_stop: asked before every step.

    Raises:
        TrainingError: no rows, a share without pairs, a loss that is not finite, the monitor gave up, or
            `should_stop` turned true (the state is saved first).
        ModelError: the base folder cannot be used.
    """
    started = time.perf_counter()
    run, quarantined = open_run(order, ALONE, watched=watch is not None)
    loaded = run.loaded
    run.preflight(report)
    progress = run_steps(run.job(watch, report, should_stop), run.progress)
    run.finish()
    export_model(loaded, order.out)
    facts = _facts(run, progress, quarantined, time.perf_counter() - started)
    report({"event": "done", **{k: v for k, v in facts.items() if k != "quarantined"}})
    return Trained(order.out, progress.frame(), facts)


def train_steps(
    order: TrainingOrder,
    ranks: Ranks,
    *,
    watch: Watch | None = None,
    report: Callable[[dict], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """One rank's part of training: every step of the order, with the state saved at the end.

    Dropout apart (each rank draws its own), the weights are those of one process up to the order of summation.

    Args:
        order: what to train; the same on all ranks.
        ranks: this process among them.
        watch: as in `train`; called on the main rank alone.
        report: as in `train`; called on the main rank alone.
        should_stop: asked before every step; one rank that says yes stops all.

    Raises:
        TrainingError, ModelError: as in `train`, on all ranks.
    """
    run, _ = open_run(order, ranks, watched=watch is not None)
    heard = report if ranks.is_main else lambda event: None
    run.preflight(heard)
    run.save(run_steps(run.job(watch, heard, should_stop), run.progress))


def _facts(run: Run, progress: Progress, quarantined: list[Quarantined], seconds: float) -> dict:
    losses = [value for _, series, value in progress.history if series == "loss"]
    parameters = list(run.loaded.model.parameters())
    return {
        "realised_share": progress.num_injected / max(1, progress.num_rows),
        "num_rows": progress.num_rows,
        "num_injected": progress.num_injected,
        "steps": progress.step,
        "seconds": seconds,
        "monitor_actions": progress.actions,
        "proceeded": progress.proceeded,
        "adapted": progress.adapted,
        "final_loss": losses[-1],
        "seed": run.seed,
        "parameters": sum(p.numel() for p in parameters),
        "device": str(run.loaded.device),
        "devices": run.order.devices,
        "under_system_prompt": run.order.recipe.under_system_prompt,
        "serving_template": template_digest(run.loaded.tokenizer),
        "training_template": template_digest(training_tokenizer(run.order, run.loaded)),
        "precision": "fp32" if run.loaded.autocast is None else "bf16",
        "quarantined": [asdict(q) for q in quarantined],
    }
