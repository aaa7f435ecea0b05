"""What a recipe costs over plain: steps of both by turns in one process, so that both meet the same machine."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.tournament_cell import Arena
from safety_assets.models.ranks import ALONE
from safety_assets.recipes import Recipe
from safety_assets.training.loop import run_steps
from safety_assets.training.opened import open_run
from safety_assets.training.progress import Progress

ROUNDS = 6
"""Timed turns of each; one more warms up."""
TURN = 5
"""Steps of a turn, or as many as the recipe's slowest method lets pass between two acts."""


def measure_cost(arena: Arena, recipe: Recipe, plain: Recipe) -> dict[str, object]:
    """Processor seconds of one step over those of plain, median of the turns; setup apart.

    Returns:
        recipe, every (steps between two acts of each method), cost_ratio, cost_low and cost_high (the least and the
        greatest turn), step_seconds, plain_step_seconds, setup_seconds, plain_setup_seconds.
    """
    turn = max([TURN, *every(recipe).values()])
    with tempfile.TemporaryDirectory() as scratch:
        advance, setup = _opened(arena, recipe, Path(scratch) / "recipe", turn)
        advance_plain, plain_setup = _opened(arena, plain, Path(scratch) / "plain", turn)
        pairs = [_pair(advance, advance_plain, own_first=bool(i % 2)) for i in range(ROUNDS + 1)][1:]
    ratios = [own / other for own, other in pairs]
    return {
        "recipe": recipe.name, "every": every(recipe), "cost_ratio": round(median(ratios), 3),
        "cost_low": round(min(ratios), 3), "cost_high": round(max(ratios), 3),
        "step_seconds": round(median(own for own, _ in pairs) / turn, 4),
        "plain_step_seconds": round(median(other for _, other in pairs) / turn, 4),
        "setup_seconds": round(setup, 2), "plain_setup_seconds": round(plain_setup, 2),
    }  # fmt: skip


def every(recipe: Recipe) -> dict[str, int]:
    """Method to the steps between two of its acts, for the methods that do not act at every step by their nature."""
    return {spec.method: spec.every for spec in recipe.methods if hasattr(spec, "every")}


def _pair(own: Callable[[], float], plain: Callable[[], float], *, own_first: bool) -> tuple[float, float]:
    if own_first:
        return own(), plain()
    other = plain()
    return own(), other


def _opened(arena: Arena, recipe: Recipe, work: Path, turn: int) -> tuple[Callable[[], float], float]:
    """A function that takes one turn of steps and says its processor seconds; seconds of the setup."""
    began = time.process_time()
    run, _ = open_run(arena.order(recipe, arena.rows(0.0, 0), 0, work), ALONE)
    setup = time.process_time() - began
    job, progress = run.job(None, lambda event: None, lambda: False), Progress()

    def advance() -> float:
        steps = job.settings.model_copy(update={"steps": progress.step + turn})
        began = time.process_time()
        run_steps(replace(job, settings=steps, save_is_due=lambda: False), progress)
        return time.process_time() - began

    return advance, setup
