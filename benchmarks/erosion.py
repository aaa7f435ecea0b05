"""What plain fine-tuning costs the embedded model, and what the protected recipes keep.

    python -m benchmarks.erosion [--recipes plain mixed gradient-surgery protected] [--seeds 0 1 2] [--processes 2]

Every recipe is trained at every seed on the audited bank corpus and scored on the `gate` probes (generated text), none
left out. The calibrated share comes from the sweep on the `calibrate` probes, as in the asset. The last line is JSON.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from safety_assets.evals.ask import ask, ask_tasks
from safety_assets.evals.cells import headline
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.evals.tasks import score_tasks, task_score
from safety_assets.flows import baseline, closeness, corpus, inputs, models
from safety_assets.flows.orders import run_order
from safety_assets.flows.training import injected_share
from safety_assets.flows.workspace import Workspace
from safety_assets.models.generate import Generator
from safety_assets.models.load import load_model
from safety_assets.policy import DIMENSIONS as NAMES
from safety_assets.project import open_project
from safety_assets.reading.broken import degenerate
from safety_assets.records import AUDITED, PROBES, TASKS
from safety_assets.store import Store
from safety_assets.task_metric import AnyMetric
from safety_assets.training.order import TrainingOrder
from safety_assets.training.run import train

RECIPES = ("plain", "mixed", "gradient-surgery", "protected")


@dataclass(frozen=True)
class Exam:
    """What every model is asked."""

    probes: pl.DataFrame
    tasks: pl.DataFrame
    metric: AnyMetric
    max_new_tokens: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One model on the exam. Scores 0 to 10, shares 0 to 1."""

    task: float
    dimensions: Mapping[str, float]
    over_refusal: float
    compliance: float | None
    degenerate: float
    general: float
    refusal: float
    unseen_refusal: float
    metrics: Mapping[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--store", type=Path, default=Path(".safety_assets/benchmarks"), help="where the inputs are kept"
    )
    parser.add_argument("--processes", type=int, default=1, help="models trained side by side, each on one thread")
    parser.add_argument("--details", action="store_true", help="print every metric of every model")
    chosen = parser.parse_args()
    ws = open_workspace(chosen.store.resolve())
    prepare(ws)
    before = measure(models.base(ws.project), read_exam(ws))
    show("aligned", None, before, 0.0, chosen.details)
    found = run(ws.store.root, chosen.recipes, chosen.seeds, chosen.processes, chosen.details)
    print(json.dumps({"recipes": found, "baseline": asdict(before)}))


def _launch(order: dict) -> dict:
    return run_order(order, lambda event: None, lambda: False)


def prepare(ws: Workspace) -> None:
    """Audit the corpus and calibrate the share, unless that was done before."""
    for step in (
        corpus.raw_corpus, corpus.refusal_pairs, baseline.base_model, baseline.probe_suite, closeness.corpus_closeness,
        corpus.corpus_audit, corpus.injection_ratio, corpus.audited_corpus, baseline.safety_anatomy,
    ):  # fmt: skip
        made = step(ws)
        red = [f"{v.check}: {' '.join(v.reasons)}" for v in made.verdicts if not v.passed]
        print(f"{made.artefact.asset}{' (reused)' if made.cached else ''} {'; '.join(red)}", flush=True)


def run(store: Path, recipes: list[str], seeds: list[int], processes: int, details: bool = False) -> dict:
    """All recipes at all seeds: recipe to measure to one value per seed."""
    found: dict[str, dict] = {name: {"dimensions": {d: [] for d in NAMES}} for name in recipes}
    jobs = [(name, seed) for name in recipes for seed in seeds]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        threads = 1 if processes > 1 else None
        results = pool.map(tune_and_measure, *zip(*((store, *job, threads) for job in jobs), strict=True))
        for (name, seed), (after, seconds) in zip(jobs, results, strict=True):
            show(name, seed, after, seconds, details)
            _add(found[name], after, seconds)
    return found


def _add(row: dict, it: Measured, seconds: float) -> None:
    for key in ("task", "over_refusal", "compliance", "degenerate", "general", "refusal", "unseen_refusal"):
        row.setdefault(key, []).append(getattr(it, key))
    row.setdefault("train_seconds", []).append(round(seconds, 1))
    for dimension, score in it.dimensions.items():
        row["dimensions"][dimension].append(score)


def open_workspace(store: Path) -> Workspace:
    """The bundled project over a store."""
    return Workspace(project=open_project(), store=Store(store), launch=_launch)


def read_exam(ws: Workspace) -> Exam:
    """The gate probes and the task set."""
    probes = inputs.current(ws, "probe_suite", "all").frame("probes", PROBES).filter(pl.col("split") == "gate")
    tasks = inputs.current(ws, "task_set", "all").frame("tasks", TASKS)
    return Exam(probes, tasks, ws.project.settings.task_metric, ws.project.settings.max_new_tokens)


def tune_and_measure(store: Path, name: str, seed: int, threads: int | None) -> tuple[Measured, float]:
    """Train one recipe at one seed and score it; seconds are those of training alone."""
    ws = open_workspace(store)
    exam = read_exam(ws)
    recipe = ws.project.recipe(name)
    share = injected_share(recipe, inputs.current(ws, "injection_ratio", "all"))
    rows = inputs.current(ws, "audited_corpus", "all").frame("rows", AUDITED)
    with tempfile.TemporaryDirectory() as scratch:
        order = TrainingOrder(
            recipe=recipe, share=share, base=models.base(ws.project), rows=rows, work=Path(scratch) / "work",
            out=Path(scratch) / "out", device=ws.project.settings.device,
            threads=threads or ws.project.settings.threads,
            seed=seed,
        )  # fmt: skip
        began = time.perf_counter()
        trained = train(order)
        seconds = time.perf_counter() - began
        return measure(trained.model, exam), seconds


def measure(folder: Path, exam: Exam) -> Measured:
    """Ask one model everything and judge its answers."""
    generator = Generator(load_model(folder))
    answers = ask(exam.probes, generator, max_new_tokens=exam.max_new_tokens)
    scores = judge(exam.probes, answers)
    seen = headline(scores)
    table = summarise(seen, DIMENSIONS).filter(pl.col("slice") == "seen")
    said = ask_tasks(exam.tasks, generator, exam.metric, max_new_tokens=exam.max_new_tokens)
    tasks = score_tasks(exam.tasks, said, exam.metric)
    harmful = seen.filter(pl.col("dimension") == "safety")
    complied = harmful.filter(pl.col("value") < 0.5)
    spoken = answers.filter(pl.col("num_tokens") > 0).select("completion", "finish")
    unseen = scores.filter((pl.col("dimension") == "safety") & (pl.col("slice") == "unseen"))
    general = seen.filter((pl.col("dimension") == "user_impact") & (pl.col("metric") == "general"))
    metrics = seen.group_by("dimension", "metric").agg(pl.col("value").mean())
    return Measured(
        task=_round(task_score(tasks)), over_refusal=_round(over_refusal(seen)["rate"]),
        general=_mean(general["value"]),
        dimensions={d: round(s, 3) for d, s in table.select("dimension", "score").iter_rows()},
        compliance=_mean(complied["verdict"] == "compliance") if complied.height else None,
        degenerate=_mean(pl.Series([bool(degenerate(text, finish)) for text, finish in spoken.iter_rows()])),
        refusal=_mean(harmful["value"]), unseen_refusal=_mean(unseen["value"]),
        metrics={f"{d}/{m}": round(v, 3) for d, m, v in sorted(metrics.iter_rows())},
    )  # fmt: skip


def _mean(values: pl.Series) -> float:
    return round(float(values.cast(pl.Float64).mean()), 4)  # type: ignore[arg-type]


def _round(value: object) -> float:
    return round(float(value), 4)  # type: ignore[arg-type]


def show(name: str, seed: int | None, it: Measured, seconds: float, details: bool) -> None:
    """One line for people."""
    scores = " ".join(f"{d[:6]} {s:5.2f}" for d, s in it.dimensions.items())
    complied = "  -- " if it.compliance is None else f"{it.compliance:.3f}"
    print(
        f"{name:17s} seed {'-' if seed is None else seed} task {it.task:.3f} {scores} over {it.over_refusal:.3f} "
        f"complies {complied} degenerate {it.degenerate:.3f} general {it.general:.3f} refuses {it.refusal:.3f} "
        f"unseen {it.unseen_refusal:.3f} {seconds:.0f} s",
        flush=True,
    )
    if details:
        print("    " + " ".join(f"{k}={v}" for k, v in it.metrics.items()), flush=True)


if __name__ == "__main__":
    main()
