"""A run set up once: the model, the rows and their mix, methods, optimiser, and the saved state it goes on from."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from safety_assets.errors import TrainingError
from safety_assets.method_specs import LowRankAdaptation
from safety_assets.methods.anatomy import Anatomy
from safety_assets.methods.anatomy_files import read_anatomy
from safety_assets.methods.lora import LoRA
from safety_assets.methods.menu import build_all
from safety_assets.methods.moments import Context, Method
from safety_assets.models.chat import without_serving_prompt
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.models.ranks import ALONE, Ranks
from safety_assets.models.rows import Row
from safety_assets.models.shards import shard
from safety_assets.monitor_specs import Monitor
from safety_assets.monitors.instrument import Sight
from safety_assets.training.batches import Mix, step_rows
from safety_assets.training.encode import Quarantined, encode_rows, harmful_rows
from safety_assets.training.loop import Job, StepRows
from safety_assets.training.loss import batch_loss
from safety_assets.training.monitor import Instruments, Watch, Watcher
from safety_assets.training.order import TrainingOrder
from safety_assets.training.parts import demand_whole, digest_of, mix_of, needed, optimiser_over
from safety_assets.training.pauses import read_pause, write_pause
from safety_assets.training.preflight import Rehearsal, demand_fit, demand_room, heaviest_pass, passes, rehearse
from safety_assets.training.progress import Progress, load_progress, save_progress
from safety_assets.training.view import View, gradient_of, trainable_parameters

SAVE_SECONDS = 600.0
"""Seconds between two saves that nobody asked for."""


def open_run(order: TrainingOrder, ranks: Ranks, *, watched: bool = False) -> tuple["Run", list[Quarantined]]:
    """Everything set up for the first step, or for the one where an interrupted run stopped; and the rows left out.

    Args:
        order: what to train.
        ranks: the processes that train.
        watched: whether the monitor will look; then its instruments measure the base here.

    Raises:
        TrainingError, ModelError: as in `train`; also where the weights and their optimiser state cannot fit, or the
            training waits for a person.
    """
    demand_whole(order.recipe, ranks)
    demand_room(order.base, order.recipe, order.work, device=order.device, parts=ranks.size if ranks.sharded else 1)
    seed = order.recipe.seed if order.seed is None else order.seed
    loaded = load_model(
        order.base, device=order.device, precision=order.recipe.precision, threads=order.threads,
        in_host_memory=ranks.sharded,
    )  # fmt: skip
    tokenizer = training_tokenizer(order, loaded)
    marked = needed(order.recipe, "spans")
    rows, quarantined = encode_rows(tokenizer, order.rows, max_tokens=order.recipe.max_tokens, marked=marked)
    mix = mix_of(order, rows, seed)
    if needed(order.recipe, "harmful"):
        rows += harmful_rows(tokenizer, order.rows, max_tokens=order.recipe.max_tokens)
    torch.manual_seed(seed)
    return Run(order, loaded, rows, mix, seed, digest_of(order, loaded, seed), ranks, watched), quarantined


def training_tokenizer(order: TrainingOrder, loaded: LoadedModel) -> PreTrainedTokenizerBase:
    """What rows are encoded with: under the serving system prompt only where the recipe says so."""
    return loaded.tokenizer if order.recipe.under_system_prompt else without_serving_prompt(loaded.tokenizer)


class Run:
    """The parts of a run that are set up once: methods, optimiser, saved state."""

    def __init__(
        self, order: TrainingOrder, loaded: LoadedModel, rows: Sequence[Row], mix: Mix, seed: int, digest: str,
        ranks: Ranks, watched: bool,
    ) -> None:  # fmt: skip
        self.order, self.loaded, self.rows, self.mix, self.digest, self.seed = order, loaded, rows, mix, digest, seed
        self.ranks = ranks
        self.settings, self.progress, self._untrained = order.recipe.optimiser, Progress(), True
        self.methods, self._now = build_all(order.recipe.methods), StepRows((), 1, 0, 0)
        self.view = View(
            loaded=loaded, rows=rows, ranks=ranks, steps=self.settings.steps, seed=seed, anatomy=self._anatomy,
            as_base=self._as_base, task_gradient=self._task_gradient, rate=self._rate, log=self._log,
            safety_weight=lambda: self.progress.safety_weight,
        )  # fmt: skip
        self.contexts = [self.view.context(m) for m in self.methods]
        for method, context in self.acting:
            method.setup(context)
        self._untrained = False
        if order.recipe.activation_checkpointing:
            loaded.model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        if ranks.sharded:  # after the methods have put their layers in, before the optimiser takes the parameters
            shard(loaded.model, loaded.device)
        if not ranks.is_main:
            torch.manual_seed(seed + ranks.rank)  # dropout of its own
        self.parameters = trainable_parameters(loaded.model)
        self._adapters: LoRA | None = None
        self.optimiser = optimiser_over(self.parameters, order.recipe)
        self.instruments = self._instruments(order.recipe.monitor if watched else Monitor())
        self.progress = self._load("state") or self.progress
        self._resume_after_pause()
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
        return rehearse(self.loaded, self.view.batch(piece), num_tokens, self.order.recipe)

    @property
    def acting(self) -> list[tuple[Method, Context]]:
        """The methods in the order in which they act, each with what it sees."""
        return list(zip(self.methods, self.contexts, strict=True))

    def job(self, watch: Watch | None, report: Callable[[dict], None], should_stop: Callable[[], bool]) -> Job:
        return Job(
            loaded=self.loaded, ranks=self.ranks, parameters=self.parameters, optimiser=self.optimiser,
            settings=self.settings, rows=self._step, methods=self.methods,
            contexts=self.contexts, watcher=self._watcher(watch, report), save=self.save,
            save_is_due=self._save_is_due, should_stop=should_stop, report=report,
        )  # fmt: skip

    def _watcher(self, watch: Watch | None, report: Callable[[dict], None]) -> Watcher | None:
        if watch is None:
            return None
        return Watcher(
            spec=self.order.recipe.monitor, baseline=self.order.baseline, watch=watch, loaded=self.loaded,
            ranks=self.ranks, steps=self.settings.steps, keep_good=self._keep_good, go_back=self._go_back,
            instruments=self.instruments, adapt=self._adapt, pause=self._pause, report=report,
        )  # fmt: skip

    def _instruments(self, monitor: Monitor) -> Instruments:
        alone = replace(self.view, ranks=ALONE)
        sight = Sight(self.loaded, alone.context(monitor), self.order.pretrained)
        found = Instruments(monitor.instruments, sight, self.ranks)
        found.setup()
        return found

    def _adapt(self, progress: Progress) -> None:
        """From here on train low-rank adapters on the weights as they stand."""
        progress.adapted = True
        self._put_adapters()
        if "roll_back" in self.order.recipe.monitor.actions:
            self._keep_good(progress)

    def _put_adapters(self) -> None:
        """Put adapters in and give the optimiser nothing but them."""
        if self._adapters is not None:
            return
        rank = self.order.recipe.monitor.rank
        self._adapters = LoRA(LowRankAdaptation(method="lora", rank=rank, alpha=2.0 * rank))
        self._adapters.setup(self.view.context(self._adapters))
        self.parameters[:] = trainable_parameters(self.loaded.model)
        self.optimiser.state.clear()
        self.optimiser.param_groups[0]["params"] = list(self.parameters)

    def _pause(self, progress: Progress, fallen: dict[str, float]) -> None:
        self.save(progress)
        pause = self.ranks.from_main(lambda: write_pause(self.order.work, progress.step, fallen))
        raise pause.question

    def _resume_after_pause(self) -> None:
        """Go on only where a person said so, and note who."""
        pause = read_pause(self.order.work)
        if pause is None or pause.step > self.progress.step:
            return
        if not pause.by:
            raise pause.question
        said = {"step": pause.step, "by": pause.by, "why": pause.why}
        if said not in self.progress.proceeded:
            self.progress.proceeded.append(said)
            self.progress.pardoned += [name for name in pause.fallen if name not in self.progress.pardoned]

    def finish(self) -> None:
        """Leave the weights that will be served."""
        if self._adapters is not None:
            self._adapters.finish(self.view.context(self._adapters))
        for method, context in self.acting:
            method.finish(context)

    def _step(self, step: int) -> StepRows:
        chosen = step_rows(self.mix, step)
        pieces = passes(chosen, self.mix, self.settings, self.ranks)
        num_tokens = sum(self.rows[i].num_responses for i in chosen)
        self._now = StepRows(
            [self.view.batch(piece) for piece in pieces], num_tokens, len(chosen), len(chosen) - self.mix.batch_rows
        )
        return self._now

    def _task_gradient(self, wrt: Sequence[Tensor] | None) -> list[Tensor]:
        def backward() -> None:
            for batch in self._now.batches:
                with self.loaded.precision():
                    loss = batch_loss(self.loaded.model, batch, self.acting, self.progress.step)
                (loss / self._now.num_tokens).backward()

        return gradient_of(self.loaded, backward, self.ranks, wrt)

    def _anatomy(self) -> Anatomy:
        if self.order.anatomy is None:
            raise TrainingError(
                "a method of this recipe reads where safety lives in the base, and nobody has looked",
                expected="an artefact of safety_anatomy", do="materialize safety_anatomy, then train again",
            )  # fmt: skip
        return read_anatomy(self.order.anatomy)

    def _as_base(self) -> AbstractContextManager[object] | None:
        if self._untrained:
            return nullcontext()
        return next((c for method, context in self.acting if (c := method.as_base(context)) is not None), None)

    def _rate(self) -> float:
        return float(self.optimiser.param_groups[0]["lr"])

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
        own = {f"{place}/{name}": t for place, m in enumerate(self.methods) for name, t in m.state().items()}
        save_progress(path, self.loaded.model, self.optimiser, progress, self.digest, self.ranks, own)

    def _load(self, name: str) -> Progress | None:
        path = self.order.work / f"{name}.safetensors"
        found = load_progress(
            path, self.loaded.model, self.optimiser, self.digest, self.ranks, steps=self.settings.steps,
            adapt=self._put_adapters,
        )  # fmt: skip
        if found is None:
            return None
        progress, own = found
        for place, method in enumerate(self.methods):
            mine = f"{place}/"
            method.restore({name.removeprefix(mine): t for name, t in own.items() if name.startswith(mine)})
        return progress
