"""One training run: a recipe, a base model and audited rows to a checkpoint with its history."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl
import torch

from safety_assets.errors import TrainingError
from safety_assets.frames import Shards, in_shards
from safety_assets.methods.menu import build_all
from safety_assets.models.batch import Batch, pad_right
from safety_assets.models.chat import without_serving_prompt
from safety_assets.models.checkpoint import export_model
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.models.ranks import ALONE, Ranks
from safety_assets.models.shards import shard
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.store import canonical_json, digest_json
from safety_assets.training.batches import Mix, step_rows
from safety_assets.training.encode import Quarantined, Row, encode_rows
from safety_assets.training.loop import Job, StepRows, run_steps
from safety_assets.training.monitor import Watch, Watcher
from safety_assets.training.preflight import Rehearsal, demand_fit, demand_room, heaviest_pass, passes, rehearse
from safety_assets.training.progress import Progress, load_progress, save_progress
from safety_assets.training.view import build_context, trainable_parameters

SAVE_SECONDS = 600.0
"""Seconds between two saves that nobody asked for."""


@dataclass(frozen=True, kw_only=True)
class TrainingOrder:
    """What is to be trained.

    Args:
        recipe: how.
        share: injected rows / all rows, in [0, 1); 0 trains on the corpus alone.
        base: folder of the base model.
        rows: an AUDITED table, in memory or on disk; its split `train` is used.
        baseline: score of the base per dimension, 0 to 10, for the monitor.
        work: folder for the resumable state; the caller removes it when the checkpoint is stored.
        out: folder that will hold the trained model.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; unchanged when None.
        seed: instead of the recipe's.
        devices: how many processes took the steps; a fact of the run, each of them is told its place by `Ranks`.
    """

    recipe: Recipe
    share: float
    base: Path
    rows: pl.DataFrame | Shards
    baseline: Mapping[str, float] = field(default_factory=dict)
    work: Path
    out: Path
    device: str = "auto"
    threads: int | None = None
    seed: int | None = None
    devices: int = 1


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
    run, quarantined = open_run(order, ALONE)
    loaded = run.loaded
    run.preflight(report)
    progress = run_steps(run.job(watch, report, should_stop), run.progress)
    for method, context in zip(run.methods, run.contexts, strict=True):
        method.finish(context)
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
    run, _ = open_run(order, ranks)
    heard = report if ranks.is_main else lambda event: None
    run.preflight(heard)
    run.save(run_steps(run.job(watch, heard, should_stop), run.progress))


def open_run(order: TrainingOrder, ranks: Ranks) -> tuple["Run", list[Quarantined]]:
    """Everything set up for the first step, or for the one where an interrupted run stopped; and the rows left out.

    Raises:
        TrainingError, ModelError: as in `train`; also where the weights and their optimiser state cannot fit.
    """
    demand_room(order.base, order.recipe, order.work, device=order.device, parts=ranks.size if ranks.sharded else 1)
    seed = order.recipe.seed if order.seed is None else order.seed
    loaded = load_model(
        order.base, device=order.device, precision=order.recipe.precision, threads=order.threads,
        in_host_memory=ranks.sharded,
    )  # fmt: skip
    tokenizer = loaded.tokenizer if order.recipe.under_system_prompt else without_serving_prompt(loaded.tokenizer)
    rows, quarantined = encode_rows(tokenizer, order.rows, max_tokens=order.recipe.max_tokens)
    mix = _mix(order, rows, seed)
    torch.manual_seed(seed)
    return Run(order, loaded, rows, mix, seed, _digest(order, loaded, seed), ranks), quarantined


class Run:
    """The parts of a run that are set up once: methods, optimiser, saved state."""

    def __init__(
        self, order: TrainingOrder, loaded: LoadedModel, rows: Sequence[Row], mix: Mix, seed: int, digest: str,
        ranks: Ranks,
    ) -> None:  # fmt: skip
        self.order, self.loaded, self.rows, self.mix, self.digest, self.seed = order, loaded, rows, mix, digest, seed
        self.ranks = ranks
        self.settings, self.progress, self._untrained = order.recipe.optimiser, Progress(), True
        self.methods = build_all(order.recipe.methods)
        self.contexts = [
            build_context(
                loaded, m, rows, ranks=ranks, steps=self.settings.steps, seed=seed, log=self._log,
                untrained=lambda: self._untrained,
            )
            for m in self.methods
        ]  # fmt: skip
        for method, context in zip(self.methods, self.contexts, strict=True):
            method.setup(context)
        self._untrained = False
        if order.recipe.activation_checkpointing:
            loaded.model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        if ranks.sharded:  # after the methods have put their layers in, before the optimiser takes the parameters
            shard(loaded.model, loaded.device)
        if not ranks.is_main:
            torch.manual_seed(seed + ranks.rank)  # dropout of its own
        self.optimiser = _optimiser(loaded, order.recipe)
        self.progress = self._load("state") or self.progress
        self._saved_at = time.monotonic()

    def preflight(self, report: Callable[[dict], None]) -> None:
        """Before the first step: go once through the heaviest pass of the run, so that memory ends now and not later.

        Raises:
            TrainingError: the pass, or what the optimiser adds to it, does not fit.
        """
        if self.progress.step:
            return
        rehearsal = self.rehearse()
        report({"event": "preflight", **{k: v for k, v in asdict(rehearsal).items() if k != "advice"}})
        demand_fit(rehearsal)

    def rehearse(self) -> Rehearsal:
        """The heaviest pass of the run, forward and back; nothing is changed by it."""
        piece, num_tokens = heaviest_pass(self.mix, self.settings, self.ranks)
        return rehearse(self.loaded, self._batch(piece), num_tokens, self.order.recipe)

    def _batch(self, piece: Sequence[int]) -> Batch:
        pad = int(self.loaded.tokenizer.pad_token_id)
        return pad_right(self.ranks.own([self.rows[i].encoded for i in piece]), pad, self.loaded.device)

    def job(self, watch: Watch | None, report: Callable[[dict], None], should_stop: Callable[[], bool]) -> Job:
        return Job(
            loaded=self.loaded, ranks=self.ranks, parameters=trainable_parameters(self.loaded.model),
            optimiser=self.optimiser, settings=self.settings, rows=self._step, methods=self.methods,
            contexts=self.contexts, watcher=self._watcher(watch, report), save=self.save,
            save_is_due=self._save_is_due, should_stop=should_stop, report=report,
        )  # fmt: skip

    def _watcher(self, watch: Watch | None, report: Callable[[dict], None]) -> Watcher | None:
        if watch is None:
            return None
        return Watcher(
            spec=self.order.recipe.monitor, baseline=self.order.baseline, watch=watch, loaded=self.loaded,
            ranks=self.ranks, steps=self.settings.steps, keep_good=self._keep_good, go_back=self._go_back,
            report=report,
        )  # fmt: skip

    def _step(self, step: int) -> StepRows:
        chosen = step_rows(self.mix, step)
        pieces = passes(chosen, self.mix, self.settings, self.ranks)
        num_tokens = sum(self.rows[i].num_responses for i in chosen)
        return StepRows(
            [self._batch(piece) for piece in pieces], num_tokens, len(chosen), len(chosen) - self.mix.batch_rows
        )

    def _log(self, series: str, value: float) -> None:
        self.progress.history.append((self.progress.step + 1, series, value))

    def save(self, progress: Progress) -> None:
        """Write the state to resume from."""
        self._write("state", progress)
        self._saved_at = time.monotonic()

    def _save_is_due(self) -> bool:
        return time.monotonic() - self._saved_at > SAVE_SECONDS

    def _keep_good(self, progress: Progress) -> None:
        self._write("good", progress)

    def _go_back(self) -> Progress:
        progress = self._load("good")
        if progress is None:
            raise TrainingError(f"{self.order.work} holds no state to roll back to", do="delete it and start again")
        self.progress = progress
        return progress

    def _write(self, name: str, progress: Progress) -> None:
        path = self.order.work / f"{name}.safetensors"
        save_progress(path, self.loaded.model, self.optimiser, progress, self.digest, self.ranks)

    def _load(self, name: str) -> Progress | None:
        path = self.order.work / f"{name}.safetensors"
        return load_progress(
            path, self.loaded.model, self.optimiser, self.digest, self.ranks, steps=self.settings.steps
        )


def _mix(order: TrainingOrder, rows: Sequence[Row], seed: int) -> Mix:
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.origin, []).append(place)
    return Mix(
        lengths=tuple(row.num_tokens for row in rows),
        task=tuple(places.get("corpus", ())),
        injected=tuple(tuple(places.get(origin, ())) for origin in order.recipe.origins),
        batch_rows=order.recipe.optimiser.batch_rows,
        share=order.share,
        seed=seed,
    )


def _optimiser(loaded: LoadedModel, recipe: Recipe) -> torch.optim.AdamW:
    settings = recipe.optimiser
    return torch.optim.AdamW(
        trainable_parameters(loaded.model), lr=settings.learning_rate, betas=settings.betas,
        weight_decay=settings.weight_decay, fused=True,
    )  # fmt: skip


def _digest(order: TrainingOrder, loaded: LoadedModel, seed: int) -> str:
    """What is trained: two orders of one digest give the same weights."""
    rows = hashlib.sha256()
    for part in in_shards(order.rows, AUDITED):
        for row in part.select("row_id", "messages", "origin", "split", "weight").iter_rows(named=True):
            rows.update(canonical_json(row).encode())
    return digest_json([order.recipe.model_dump(mode="json"), order.share, loaded.digest, rows.hexdigest(), seed])


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
        "final_loss": losses[-1],
        "seed": run.seed,
        "parameters": sum(p.numel() for p in parameters),
        "device": str(run.loaded.device),
        "devices": run.order.devices,
        "precision": "fp32" if run.loaded.autocast is None else "bf16",
        "quarantined": [asdict(q) for q in quarantined],
    }
