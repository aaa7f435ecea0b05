"""A few steps of a recipe, timed on this machine: what a plan is made of. Nothing is kept."""

import time
from dataclasses import asdict, dataclass, replace

from safety_assets.models.ranks import ALONE
from safety_assets.training.batches import step_rows
from safety_assets.training.loop import run_steps
from safety_assets.training.opened import Run, open_run
from safety_assets.training.order import TrainingOrder
from safety_assets.training.preflight import passes
from safety_assets.training.progress import Progress

TIMED_STEPS = 3
LONGEST_TURN = 8
"""A method that acts every so many steps is timed over one turn of it, at most this long."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one recipe costs here.

    Args:
        setup_seconds: loading the weights, encoding the rows and setting the methods up.
        step_seconds: one optimiser step, mean over the timed ones, at the run's mean number of tokens.
        tokens_per_second: tokens trained on, padding included.
        timed_steps: how many steps were timed.
        rows, quarantined: rows that can be trained on, and rows that are too long or cannot be rendered.
        rehearsal: what the heaviest pass took (preflight.Rehearsal).
    """

    setup_seconds: float
    step_seconds: float
    tokens_per_second: float
    timed_steps: int
    rows: int
    quarantined: int
    rehearsal: dict


def measure_steps(order: TrainingOrder) -> Measured:
    """Set a recipe up and take its first steps; the first of them warms up and is not timed.

    Args:
        order: what would be trained, on one device.

    Raises:
        TrainingError, ModelError: as `train` would raise them.
    """
    started = time.perf_counter()
    run, quarantined = open_run(order, ALONE)
    setup = time.perf_counter() - started
    rehearsal = run.rehearse()
    timed = _timed_steps(order)
    starts: list[float] = []

    def note_start() -> bool:
        starts.append(time.perf_counter())
        return False

    job = run.job(None, lambda event: None, note_start)
    short = job.settings.model_copy(update={"steps": min(timed + 1, job.settings.steps)})
    run_steps(replace(job, settings=short, save_is_due=lambda: False), Progress())
    ends = [*starts[1:], time.perf_counter()]
    seconds = [end - start for start, end in zip(starts, ends, strict=True)][1 if len(starts) > 1 else 0 :]
    tokens = [_tokens(run, step) for step in range(short.steps)][-len(seconds) :]
    whole = sum(_tokens(run, step) for step in range(order.recipe.optimiser.steps)) / order.recipe.optimiser.steps
    rate = sum(tokens) / sum(seconds)
    return Measured(
        setup_seconds=setup, step_seconds=whole / rate, tokens_per_second=rate, timed_steps=len(seconds),
        rows=len(run.rows), quarantined=len(quarantined), rehearsal=asdict(rehearsal),
    )  # fmt: skip


def _timed_steps(order: TrainingOrder) -> int:
    """Enough to see every method act as often as it will."""
    turns = [getattr(spec, "every", 1) for spec in order.recipe.methods]
    return max(TIMED_STEPS, min(LONGEST_TURN, max(turns, default=1)))


def _tokens(run: Run, step: int) -> int:
    """Tokens of one step, padding included."""
    pieces = passes(step_rows(run.mix, step), run.mix, run.settings, run.ranks)
    return sum(len(piece) * max(run.mix.lengths[i] for i in piece) for piece in pieces)
