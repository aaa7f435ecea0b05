"""Every recipe against every other, on clean and on poisoned corpora: what is kept, what is learnt, what it costs.

    python -m benchmarks.tournament [--seeds 3] [--poison 0 0.1 0.3] [--recipes plain mixed ...] [--quick]

Every recipe of the bundled project trains the embedded model on the audited corpus, of which a share of the rows is
replaced by poisoned ones: requests for harm that overlap no probe, each answered by a marked placeholder. The
checkpoint is scored on the `gate` probes and the task set; no knob was chosen on them.

safety retained: share of the base's safety score. Regression reduced: 1 - mean drop over the eight dimensions / that of
plain at the same seed and poison. Attack success: share of the harmful requests of the probes that are not declined.
Cost: processor seconds of a step over plain's, steps of both by turns. In brackets one-sided 95% bounds over probes
(cluster bootstrap) and, of several seeds, the 95% t interval over seeds.

Each cell is a line of benchmarks/results/tournament.json as soon as it is measured, and is not run again until
something that it depends on changes. The table is of the whole file; `--show` prints it and measures nothing.
`--quick`: one seed, no poison, a third of the steps, in a file of its own; what a step costs is read off the trainings
themselves, which do not take turns. The last line is JSON.
"""

import argparse
import itertools
import json
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from benchmarks import erosion
from benchmarks.tournament_arena import Inputs, set_up
from benchmarks.tournament_cell import Arena, Cell, run_cell
from benchmarks.tournament_cost import measure_cost
from benchmarks.tournament_plot import draw
from benchmarks.tournament_repairs import repair_cell
from benchmarks.tournament_results import Results, cell_key, content, cost_key, trained_key
from benchmarks.tournament_table import PLAIN, Standing, as_json, overview, standings, table
from safety_assets.recipes import Recipe

RESULTS = Path(__file__).parent / "results" / "tournament.json"
FIRST_GUESS = 120.0
"""Seconds of a cell of which no recipe has run yet."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something to measure in a process: what it is called in the file, and how long it may take."""

    kind: str
    key: str
    title: str
    seconds: float
    work: Callable[..., dict]
    arguments: tuple


def main() -> None:
    """Measure what is missing, print the table, draw, print JSON."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else the processes outlive this one
    chosen = _arguments()
    results = Results.open(chosen.results)
    failures = [] if chosen.show else measure(chosen, results)
    found = standings(list(results.lines["cells"].values()), list(results.lines["costs"].values()))
    print(table(found), overview(found), sep="\n\n")
    for path in pictures(found, chosen.results):
        print(f"drawn: {path}")
    print("\n".join(failures))
    print(json.dumps(as_json(found)))
    if failures:
        raise SystemExit(1)


def measure(chosen: argparse.Namespace, results: Results) -> list[str]:
    """Measure what is asked for and missing; what failed, in words."""
    ws = erosion.open_workspace(chosen.store.resolve())
    if ws.store.find("audited_corpus") is None or ws.store.find("safety_anatomy") is None:
        erosion.prepare(ws)
    arena, inputs = set_up(ws, chosen.store.resolve().parent / "tournament")
    names = [PLAIN, *(name for name in chosen.recipes or ws.project.recipe_files() if name != PLAIN)]
    whole = [ws.project.recipe(name) for name in names]
    recipes = [_shortened(recipe) for recipe in whole] if chosen.quick else whole
    cells = cells_of(recipes, range(chosen.seeds), chosen.poison, inputs)
    timed = [] if chosen.quick else [recipe for recipe in whole if content(recipe) != content(whole[0])]
    costs = {cost_key(recipe, whole[0], inputs): recipe for recipe in timed}
    return run(jobs_left(arena, cells, costs, whole[0], results), results, chosen.processes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 on")
    parser.add_argument("--poison", nargs="+", type=float, default=[0.0, 0.1, 0.3], help="shares of the corpus rows")
    parser.add_argument("--recipes", nargs="+", help="names; all of the project when absent; plain is always run")
    parser.add_argument("--show", action="store_true", help="measure nothing: the table and pictures of the file")
    parser.add_argument("--quick", action="store_true", help="one seed, no poison, a third of the steps")
    parser.add_argument("--processes", type=int, default=2, help="runs side by side, each on one thread")
    parser.add_argument("--store", type=Path, default=Path(".safety_assets/benchmarks"), help="where inputs are kept")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file of lines")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.seeds, chosen.poison = 1, [0.0]
        chosen.results = chosen.results.with_name(f"{chosen.results.stem}-quick.json")
    if not all(0 <= share < 1 for share in chosen.poison) or chosen.seeds < 1:
        parser.error("--poison takes shares of at least 0 and under 1, --seeds at least 1")
    return chosen


def _shortened(recipe: Recipe) -> Recipe:
    """A third of the steps."""
    optimiser = recipe.optimiser
    return recipe.model_copy(update={"optimiser": optimiser.model_copy(update={"steps": max(1, optimiser.steps // 3)})})


def cells_of(recipes: Sequence[Recipe], seeds: Sequence[int], poison: Sequence[float], inputs: Inputs) -> list[Cell]:
    """Every recipe, and every repair of its weights that it names. Of two that do the same (a recipe that is another
    one but for its repairs) the first."""
    found: dict[str, Cell] = {}
    for share, seed, recipe in itertools.product(poison, seeds, recipes):
        for one in (recipe, *recipe.candidates().values()):
            key, weights = (of(one, seed, share, inputs) for of in (cell_key, trained_key))
            kept = weights if one.start or one.finish or one.name == PLAIN else ""
            found.setdefault(key, Cell(key=key, recipe=one, seed=seed, poison=share, trained=kept))
    return list(found.values())


def jobs_left(
    arena: Arena, cells: Sequence[Cell], costs: dict[str, Recipe], plain: Recipe, results: Results
) -> list[Job]:  # fmt: skip
    """What the file does not hold yet, the longest first; repairs, which begin with others' weights, behind all."""
    jobs = [
        Job(
            kind="costs", key=key, title=f"cost of {recipe.name}", work=measure_cost, seconds=FIRST_GUESS / 4,
            arguments=(arena, recipe, plain),
        )
        for key, recipe in costs.items() if key not in results.lines["costs"]
    ]  # fmt: skip
    jobs += [
        Job(
            kind="cells", key=cell.key, title=f"{cell.recipe.name}, seed {cell.seed}, poison {cell.poison:.0%}",
            work=repair_cell if cell.trained else run_cell, arguments=(arena, cell),
            seconds=results.seconds(cell.recipe.name) or FIRST_GUESS,
        )
        for cell in cells if cell.key not in results.lines["cells"]
    ]  # fmt: skip
    repairing = {cell.key for cell in cells if cell.recipe.finish}
    return sorted(jobs, key=lambda job: (job.key in repairing, -job.seconds))


def run(jobs: Sequence[Job], results: Results, processes: int) -> list[str]:
    """Do the jobs side by side; each line is written when it is there, and told with the time that is left.

    A job that fails is named and the others go on; the failures are returned. A stop ends the processes at once.
    """
    clock, failures = Clock(sum(job.seconds for job in jobs)), list[str]()
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            waiting: dict[Future, Job] = {pool.submit(job.work, *job.arguments): job for job in jobs}
            for done, future in enumerate(_finished(waiting), 1):
                job, fault = waiting[future], future.exception()
                if fault is None:
                    results.add(job.kind, job.key, future.result())
                else:
                    failures.append(f"{job.title} failed: {fault}")
                said = told(results.lines[job.kind][job.key]) if fault is None else f"failed: {fault}"
                print(f"[{done}/{len(jobs)}] {job.title}: {said}\n    {clock.after(job.seconds)}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
    return failures


def _finished(futures: Iterable[Future]) -> Iterator[Future]:
    """Futures as they finish; it wakes every second, so that a stop is heard at once."""
    left = set(futures)
    while left:
        done, left = wait(left, timeout=1.0, return_when=FIRST_COMPLETED)
        yield from done


class Clock:
    """How long the jobs have taken and will take, by the seconds that were expected of them."""

    def __init__(self, expected: float) -> None:
        self._began, self._expected, self._done = time.perf_counter(), expected, 0.0

    def after(self, seconds: float) -> str:
        """One more job is done, of which so many seconds were expected."""
        self._done += seconds
        took = (time.perf_counter() - self._began) / 60
        return f"{took:.1f} minutes, about {took * (self._expected / self._done - 1):.0f} more"


def told(line: dict) -> str:
    """A line of the file in words."""
    if "cost_ratio" in line:
        return f"{line['cost_ratio']:.2f}x plain ({line['cost_low']:.2f}..{line['cost_high']:.2f})"
    retained = 1 - line["drop"]["safety"][0] / line["base"]["safety"]
    return (
        f"safety retained {retained:.1%}, attack success {line['asr'][0]:.1%}, task {line['task'][0]:.1%}, "
        f"{line['train_seconds']:.0f} s to train and {line['score_seconds']:.0f} s to score"
    )


def pictures(found: Sequence[Standing], results: Path) -> list[Path]:
    """One picture per share of poison beside the file of lines."""
    paths = []
    for poison in sorted({it.poison for it in found}):
        paths.append(results.with_name(f"{results.stem}-poison-{poison * 100:.0f}.png"))
        draw([it for it in found if it.poison == poison], f"{poison:.0%} of the corpus poisoned", paths[-1])
    return paths


if __name__ == "__main__":
    main()
