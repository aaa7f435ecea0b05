"""What the training child is asked to do: train one recipe, repair weights, run the calibration sweep or a point of it,
or measure.

On several devices the child starts processes that take the steps (order `steps`), and finishes what they saved.

An order and its result are JSON values; frames travel as Parquet files in the order's work folder.
"""

import functools
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl

from safety_assets.errors import TrainingError
from safety_assets.evals.ask import ask
from safety_assets.flows.child import (
    Report,
    ShouldStop,
    dimension_scores,
    generator_of,
    once,
    train_one,
    wanted,
    watch_of,
)
from safety_assets.flows.repairing import Repaired, apply_repairs, from_json
from safety_assets.flows.sweep import calibrate, measure_point
from safety_assets.recipes import Recipe
from safety_assets.records import HISTORY, PROBES


def run_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Run an order; the result says where the files are.

    Raises:
        TrainingError: stopped, after the checkpoint was saved, or the order is of no known kind.
    """
    match order["kind"]:
        case "train":
            return _train_order(order, report, should_stop)
        case "repair":
            return _repair_order(order, report, should_stop)
        case "calibrate":
            return calibrate(order, report, should_stop)
        case "point":
            return measure_point(order, report, should_stop)
        case "steps":
            return _steps_order(order, report, should_stop)
        case "measure":
            return _measure_order(order)
        case kind:
            raise TrainingError(f"order of kind {kind}", expected="train, repair, calibrate, point, steps or measure")


def _train_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    probes = PROBES.check(pl.read_parquet(order["probes"]))
    work, recipe = Path(order["work"]), Recipe.model_validate(order["recipe"])
    baseline = once(work / "watch_baseline.json", functools.partial(_watch_baseline, order, probes, report))
    begun = apply_repairs(order, recipe.start, Path(order["base"]), "start", report, should_stop)
    own = {"base": str(begun.model), "baseline": baseline}
    trained = train_one(order | own, order["share"], work, watched=True, report=report, should_stop=should_stop)
    done = apply_repairs(order, recipe.finish, trained.model, "finish", report, should_stop)
    facts = {**trained.facts, "watch_baseline": baseline, "started_from": begun.facts, "repairs": done.facts}
    return _result(order, done, trained.history, facts, report)


def _repair_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Repair weights that lie in a folder; with `facts` and `history` these are a checkpoint's, and go on."""
    from safety_assets.models.stored import merged_folder

    began = time.perf_counter()
    tuned = merged_folder(Path(order["tuned"]), Path(order["work"]) / "tuned-merged")
    done = apply_repairs(order, from_json(order["repairs"]), tuned, "repair", report, should_stop)
    if "history" not in order:
        return {"model": str(done.model), "repairs": done.facts}
    facts = order["facts"] | {"repairs": [*order["facts"]["repairs"], *done.facts]}
    facts["seconds"] = order["facts"]["seconds"] + time.perf_counter() - began
    return _result(order, done, HISTORY.check(pl.read_parquet(order["history"])), facts, report)


def _result(order: dict, done: Repaired, history: pl.DataFrame, facts: dict, report: Report) -> dict:
    """The files of a checkpoint; repaired weights are watched once more, one step behind the last."""
    path = Path(order["work"]) / "history.parquet"
    if done.facts:
        probes = PROBES.check(pl.read_parquet(order["probes"]))
        scores = dimension_scores(probes, generator_of(order, done.model, report), order["max_new_tokens"])
        step = int(order["total_steps"]) + 1
        rows = [{"step": step, "series": f"watch/{name}", "value": score} for name, score in sorted(scores.items())]
        history = pl.concat([history.filter(pl.col("step") < step), HISTORY.frame(rows)])
    HISTORY.check(history).write_parquet(path)
    return {"model": str(done.model), "history": str(path), "facts": facts}


def _watch_baseline(order: dict, probes: pl.DataFrame, report: Report) -> dict[str, float]:
    """The base on the watch probes: what the monitor compares with."""
    return dimension_scores(probes, generator_of(order, Path(order["base"]), report), order["max_new_tokens"])


def _measure_order(order: dict) -> dict:
    """What a few steps and a few answers cost here; the device is asked as it stands, alone."""
    from safety_assets.training.measure import measure_steps

    probes = PROBES.check(pl.read_parquet(order["probes"]))
    training = {}
    for name, own in order["recipes"].items():
        training[name] = asdict(measure_steps(wanted(order | own, order["device"])))
    generator = generator_of(order, Path(order["base"]))
    started = time.perf_counter()
    answered = ask(probes, generator, max_new_tokens=order["max_new_tokens"])
    seconds = (time.perf_counter() - started) / max(1, answered.height)
    return {"training": training, "seconds_per_answer": seconds, "answers": answered.height}


def _steps_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """One process of several: its part of every step."""
    from safety_assets.models.ranks import join
    from safety_assets.training.run import train_steps

    with (
        join(order["device"], sharded=order["sharding"] == "fsdp") as (ranks, device),
        open(order["events"], "a") as file,
    ):

        def tell(event: Mapping[str, object]) -> None:
            file.write(json.dumps(event) + "\n")
            file.flush()

        train_steps(wanted(order, device), ranks, watch=watch_of(order), report=tell, should_stop=should_stop)
    return {}
