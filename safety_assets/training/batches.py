"""Which rows each optimiser step sees: pure functions of the seed and the step number.

The mix is drawn first: task rows in seeded epochs without replacement, injected rows on top of them. Then, inside
windows of eight steps, rows of like length are put together. The task rows of a step are the same with and without
injected rows, so that two recipes differ in nothing but the dose. Nothing is remembered between steps, so training
resumes from a step number alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from safety_assets.errors import TrainingError

WINDOW = 8
"""Steps whose rows are drawn together and then sorted by length."""

TASK, INJECTED, ORDER = 0, 1, 2
"""Streams of random numbers: each is its own generator, so that none shifts another."""


@dataclass(frozen=True, eq=False)  # hashed by identity: the draws are cached
class Mix:
    """What batches are drawn from. Rows are indices into `lengths`.

    Args:
        lengths: tokens of every row.
        task: rows of the user's corpus.
        injected: rows of the pairs, one tuple per kind.
        batch_rows: task rows per optimiser step.
        share: injected rows / all rows, in [0, 1).
        seed: of every draw.
    """

    lengths: tuple[int, ...]
    task: tuple[int, ...]
    injected: tuple[tuple[int, ...], ...]
    batch_rows: int
    share: float
    seed: int

    def __post_init__(self) -> None:
        if not self.task:
            raise TrainingError("no corpus row is left to train on", do="look at corpus_audit and at quarantined rows")
        if not 0 <= self.share < 1:
            raise TrainingError(f"the share of injected rows is {self.share}", expected="at least 0 and under 1")
        if self.share > 0 and not any(self.injected):
            raise TrainingError(
                f"a share of {self.share:.3f} injected rows is asked for, but there is no pair to inject",
                expected="rows of the recipe's origins in audited_corpus",
                do="add refusal pairs or set injection: none in the recipe",
            )


def step_rows(mix: Mix, step: int) -> list[int]:
    """The rows of one optimiser step (0-based): `batch_rows` task rows, then this step's injected rows."""
    return list(_window(mix, step // WINDOW)[step % WINDOW])


def micro_batches(rows: Sequence[int], lengths: Sequence[int], size: int | None) -> list[list[int]]:
    """The rows of a step, sorted by length and cut into pieces of at most `size` rows (one piece when None)."""
    order = sorted(rows, key=lengths.__getitem__)
    size = size or len(order)
    return [order[i : i + size] for i in range(0, len(order), size)]


def interleave(kinds: Sequence[Sequence[int]], rng: np.random.Generator) -> list[int]:
    """All rows once, shuffled, so that any stretch holds every kind in proportion to within one or two rows."""
    places, rows = [], []
    for own in kinds:
        if len(own):
            places.append((np.arange(len(own)) + rng.random()) / len(own))
            rows.append(rng.permutation(np.asarray(own)))
    if not rows:
        return []
    return np.concatenate(rows)[np.argsort(np.concatenate(places), kind="stable")].tolist()


@lru_cache(maxsize=4)
def _window(mix: Mix, index: int) -> tuple[tuple[int, ...], ...]:
    """The eight batches of one window."""
    rng = np.random.default_rng([mix.seed, ORDER, index])
    order, phase = rng.permutation(WINDOW), int(rng.integers(WINDOW))
    start = index * WINDOW * mix.batch_rows
    task = _by_length(mix, _task_rows(mix, start, start + WINDOW * mix.batch_rows))
    extra = _by_length(mix, _injected_rows(mix, _num_injected(mix, index), _num_injected(mix, index + 1)))
    cuts = [(i * len(extra) + phase) // WINDOW for i in range(WINDOW)] + [len(extra)]
    batches = []
    for i in order:  # the i-th shortest task rows meet the i-th shortest injected rows
        own = task[i * mix.batch_rows : (i + 1) * mix.batch_rows]
        batches.append((*own, *extra[cuts[i] : cuts[i + 1]]))
    return tuple(batches)


def _num_injected(mix: Mix, windows: int) -> int:
    """Injected rows in the first so many windows: the share, to within half a row."""
    return round(mix.share / (1 - mix.share) * windows * WINDOW * mix.batch_rows)


def _by_length(mix: Mix, rows: list[int]) -> list[int]:
    return sorted(rows, key=mix.lengths.__getitem__)


def _task_rows(mix: Mix, start: int, end: int) -> list[int]:
    """A stretch of the endless stream of task rows."""
    size = len(mix.task)
    epochs = {e: _task_epoch(mix, e) for e in range(start // size, (end - 1) // size + 1)}
    return [epochs[i // size][i % size] for i in range(start, end)]


def _injected_rows(mix: Mix, start: int, end: int) -> list[int]:
    """A stretch of the endless stream of injected rows."""
    size = sum(map(len, mix.injected))
    epochs = {e: _injected_epoch(mix, e) for e in range(start // size, (end - 1) // size + 1)} if end > start else {}
    return [epochs[i // size][i % size] for i in range(start, end)]


@lru_cache(maxsize=4)
def _task_epoch(mix: Mix, epoch: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng([mix.seed, TASK, epoch]).permutation(np.asarray(mix.task)).tolist())


@lru_cache(maxsize=4)
def _injected_epoch(mix: Mix, epoch: int) -> tuple[int, ...]:
    return tuple(interleave(mix.injected, np.random.default_rng([mix.seed, INJECTED, epoch])))
