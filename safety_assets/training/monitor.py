"""What is looked at while training, and what is done when something falls.

Looking changes nothing: the model is put into evaluation mode and back, gradients and random state are kept.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pkgutil import resolve_name
from typing import TypeVar

from torch import nn

from safety_assets.errors import TrainingError
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel, forked_random_state
from safety_assets.models.ranks import Ranks
from safety_assets.models.shards import whole
from safety_assets.monitor_specs import SEVERITY, Action, InstrumentSpec, Monitor
from safety_assets.monitors.instrument import Instrument, Sight
from safety_assets.training.progress import Progress

T = TypeVar("T")
Watch = Callable[[Generator], Mapping[str, float]]
"""A generator to the score of each dimension, 0 to 10."""

Found = tuple[dict[str, float], dict[str, float], Action]
"""Values, those of them that have fallen, and what is to be done about these."""


class Instruments:
    """The instruments of a recipe over one model.

    Args:
        specs: what the recipe looks with.
        sight: what they see.
        ranks: the main one looks, and tells all.
    """

    def __init__(self, specs: Sequence[InstrumentSpec], sight: Sight, ranks: Ranks) -> None:
        self._specs, self._sight, self._ranks = specs, sight, ranks
        self._own: list[Instrument] = [resolve_name(spec.looks)(spec) for spec in specs]

    def setup(self) -> None:
        """Measure the base."""
        for instrument in self._own:
            self._undisturbed(partial(instrument.setup, self._sight))

    def look(self, otherwise: Action) -> list[Found]:
        """Measure the weights as they stand."""
        found = []
        for spec, instrument in zip(self._specs, self._own, strict=True):
            measured = self._undisturbed(partial(instrument.measure, self._sight))
            fallen = self._ranks.from_main(partial(instrument.fallen, measured))
            named = [{f"{spec.look}/{name}": value for name, value in own.items()} for own in (measured, fallen)]
            found.append((named[0], named[1], spec.action or otherwise))
        return found

    def _undisturbed(self, work: Callable[[], T]) -> T:
        model = self._sight.loaded.model
        with undisturbed(model), whole(model):
            return self._ranks.from_main(work)


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Looks at the model in training every so many steps and acts as the recipe says.

    The main rank looks, and all ranks act on what it found. Of several things that have fallen the hardest action is
    taken, once.

    Args:
        spec: the recipe's monitor.
        baseline: score of the base per dimension, 0 to 10.
        watch: scores a generator over the watch probes.
        instruments: what else is looked with.
        loaded: the model in training.
        ranks: the processes that train it.
        steps: optimiser steps of the run.
        keep_good: saves the state to come back to.
        go_back: restores that state and returns its progress.
        adapt: goes on with low-rank adapters from here.
        pause: saves the state and ends until a person has looked; takes the progress and what fell.
        report: takes an event.
    """

    spec: Monitor
    baseline: Mapping[str, float]
    watch: Watch
    instruments: Instruments
    loaded: LoadedModel
    ranks: Ranks
    steps: int
    keep_good: Callable[[Progress], None]
    go_back: Callable[[], Progress]
    adapt: Callable[[Progress], None]
    pause: Callable[[Progress, dict[str, float]], None]
    report: Callable[[dict], None]

    def begin(self, progress: Progress) -> None:
        """Before the first step: the base itself is the first good state."""
        if "roll_back" in self.spec.actions and progress.step == 0:
            self.keep_good(progress)

    def look(self, progress: Progress) -> Progress:
        """Look when it is time; the progress to go on from (an earlier one after a roll-back).

        Raises:
            TrainingError: to stop or to pause, or something has fallen once more after `max_actions` actions.
        """
        if progress.step % self.spec.every and progress.step != self.steps:
            return progress
        found = [self._pardoned(progress, own) for own in (self._scores(progress), *self._measured(progress))]
        fallen = {name: value for _, own, _ in found for name, value in own.items()}
        if not fallen:
            if "roll_back" in self.spec.actions:
                self.keep_good(progress)
            return progress
        return self._act(progress, fallen, max((a for _, own, a in found if own), key=SEVERITY.index))

    def _pardoned(self, progress: Progress, found: Found) -> Found:
        """Without what a person has looked at in a pause and let go on."""
        values, fallen, action = found
        if action != "pause":
            return found
        return values, {name: value for name, value in fallen.items() if name not in progress.pardoned}, action

    def _scores(self, progress: Progress) -> Found:
        generator = Generator(replace(self.loaded, digest=f"{self.loaded.digest}+{progress.step}"))
        with undisturbed(self.loaded.model), whole(self.loaded.model):
            scores = self.ranks.from_main(lambda: {d: float(s) for d, s in self.watch(generator).items()})
        for dimension, score in sorted(scores.items()):
            progress.note(f"watch/{dimension}", score)
        self.report({"event": "watch", "step": progress.step, "scores": scores})
        fallen = {d: s for d, s in scores.items() if d in self.baseline and s < self.spec.floor * self.baseline[d]}
        return scores, fallen, self.spec.action

    def _measured(self, progress: Progress) -> list[Found]:
        found = self.instruments.look(self.spec.action)
        values = {name: value for own, _, _ in found for name, value in own.items()}
        for name, value in values.items():
            progress.note(f"monitor/{name}", value)
        if values:
            self.report({"event": "measured", "step": progress.step, "values": values})
        return found

    def _act(self, progress: Progress, fallen: dict[str, float], action: Action) -> Progress:
        self.report({"event": "monitor", "step": progress.step, "fallen": fallen, "action": action})
        if action == "warn":
            return progress
        if action == "stop" or (action != "pause" and progress.actions >= self.spec.max_actions):
            raise self._stopped(progress, fallen)
        actions = progress.actions + 1
        match action:
            case "lower_learning_rate":
                progress.factor *= self.spec.factor
            case "raise_safety_weight":
                progress.safety_weight /= self.spec.factor
            case "switch_to_lora":
                self.adapt(progress)
            case "roll_back":
                factor = progress.factor * self.spec.factor
                progress = self.go_back()
                progress.factor = factor
            case "pause":
                progress.actions = actions
                self.pause(progress, fallen)
        progress.actions = actions
        progress.note("monitor/learning_rate_factor", progress.factor)
        progress.note("monitor/safety_weight", progress.safety_weight)
        return progress

    def _stopped(self, progress: Progress, fallen: dict[str, float]) -> TrainingError:
        return TrainingError(
            f"at step {progress.step} the monitor saw {self._said(fallen)}, after {progress.actions} actions",
            expected=f"scores at or above {self.spec.floor:g} of the base, instruments within their limits",
            do="lower the learning rate, raise the share of injected rows or use gradient_surgery",
        )

    def _said(self, fallen: dict[str, float]) -> str:
        """What fell, with the base's score where there is one."""
        known = self.baseline
        return ", ".join(
            f"{name} {value:.2f}" + (f" (base {known[name]:.2f})" if name in known else "")
            for name, value in sorted(fallen.items())
        )


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; mode and random state afterwards as before."""
    was_training = model.training
    model.eval()
    try:
        with forked_random_state(model):
            yield
    finally:
        model.train(was_training)
