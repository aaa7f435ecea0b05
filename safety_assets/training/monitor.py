"""The watch probes, scored while training, and what is done when a dimension falls.

Looking changes nothing: the model is put into evaluation mode and back, and random state is kept.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from torch import nn

from safety_assets.errors import TrainingError
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel, forked_random_state
from safety_assets.models.ranks import Ranks
from safety_assets.models.shards import whole
from safety_assets.recipes import Monitor
from safety_assets.training.progress import Progress

Watch = Callable[[Generator], Mapping[str, float]]
"""A generator to the score of each dimension, 0 to 10."""


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Scores the model in training every so many steps and acts as the recipe says.

    The main rank scores, and all ranks act on what it found.

    Args:
        spec: the recipe's monitor.
        baseline: score of the base per dimension, 0 to 10.
        watch: scores a generator over the watch probes.
        loaded: the model in training.
        ranks: the processes that train it.
        steps: optimiser steps of the run.
        keep_good: saves the state to come back to.
        go_back: restores that state and returns its progress.
        report: takes an event.
    """

    spec: Monitor
    baseline: Mapping[str, float]
    watch: Watch
    loaded: LoadedModel
    ranks: Ranks
    steps: int
    keep_good: Callable[[Progress], None]
    go_back: Callable[[], Progress]
    report: Callable[[dict], None]

    def begin(self, progress: Progress) -> None:
        """Before the first step: the base itself is the first good state."""
        if self.spec.action == "roll_back" and progress.step == 0:
            self.keep_good(progress)

    def look(self, progress: Progress) -> Progress:
        """Score when it is time; the progress to go on from (an earlier one after a roll-back).

        Raises:
            TrainingError: a dimension has fallen once more after `max_actions` actions.
        """
        if progress.step % self.spec.every and progress.step != self.steps:
            return progress
        scores = self._scores(progress.step)
        for dimension, score in sorted(scores.items()):
            progress.note(f"watch/{dimension}", score)
        self.report({"event": "watch", "step": progress.step, "scores": scores})
        fallen = {d: s for d, s in scores.items() if d in self.baseline and s < self.spec.floor * self.baseline[d]}
        return self._act(progress, fallen) if fallen else self._rest(progress)

    def _scores(self, step: int) -> dict[str, float]:
        generator = Generator(replace(self.loaded, digest=f"{self.loaded.digest}+{step}"))
        with undisturbed(self.loaded.model), whole(self.loaded.model):
            return self.ranks.from_main(lambda: {d: float(s) for d, s in self.watch(generator).items()})

    def _rest(self, progress: Progress) -> Progress:
        if self.spec.action == "roll_back":
            self.keep_good(progress)
        return progress

    def _act(self, progress: Progress, fallen: dict[str, float]) -> Progress:
        event = {"event": "monitor", "step": progress.step, "fallen": fallen, "action": self.spec.action}
        self.report(event)
        if self.spec.action == "watch":
            return progress
        if progress.actions >= self.spec.max_actions:
            self._stop(progress, fallen)
        actions, factor = progress.actions + 1, progress.factor * self.spec.factor
        if self.spec.action == "roll_back":
            progress = self.go_back()
        progress.actions, progress.factor = actions, factor
        progress.note("monitor/learning_rate_factor", factor)
        return progress

    def _stop(self, progress: Progress, fallen: dict[str, float]) -> None:
        names = ", ".join(f"{d} {s:.2f} (base {self.baseline[d]:.2f})" for d, s in sorted(fallen.items()))
        raise TrainingError(
            f"at step {progress.step} the monitor saw {names}, after {progress.actions} actions",
            expected=f"every dimension at or above {self.spec.floor:g} of the base",
            do="lower the learning rate, raise the share of injected rows or use gradient_surgery",
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
