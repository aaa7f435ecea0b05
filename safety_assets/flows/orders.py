"""What the training child is asked to do: train one recipe, run the calibration sweep or a point of it, or measure.

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
from safety_assets.flows.sweep import calibrate, measure_point
from safety_assets.records import HISTORY, PROBES


def run_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Run an order; the result says where the files are.

    Raises:
        TrainingError: stopped, after the checkpoint was saved, or the order is of no known kind.
    """
    match order["kind"]:
        case "train":
            return _train_order(order, report, should_stop)
        case "calibrate":
            return calibrate(order, report, should_stop)
        case "point":
            return measure_point(order, report, should_stop)
        case "steps":
            return _steps_order(order, report, should_stop)
        case "measure":
            return _measure_order(order)
        case kind:
            raise TrainingError(f"order of kind {kind}", expected="train, calibrate, point, steps or measure")


def _train_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    probes = PROBES.check(pl.read_parquet(order["probes"]))
    work = Path(order["work"])
    baseline = once(work / "watch_baseline.json", functools.partial(_watch_baseline, order, probes, report))
    trained = train_one(
        order | {"baseline": baseline}, order["share"], work, watched=True, report=report, should_stop=should_stop
    )
    history = work / "history.parquet"
    HISTORY.check(trained.history).write_parquet(history)
    facts = {**trained.facts, "watch_baseline": baseline}
    return {"model": str(trained.model), "history": str(history), "facts": facts}


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
