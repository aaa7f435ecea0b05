"""What the training child is asked to do: train one recipe, or train and score each share of the calibration sweep.

On several devices the child starts processes that take the steps (order `steps`), and finishes what they saved.

An order and its result are JSON values; frames travel as Parquet files in the order's work folder.
"""

import functools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from safety_assets.errors import TrainingError
from safety_assets.evals.ask import ask
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.flows.several_devices import run_on_devices
from safety_assets.flows.side_by_side import run_side_by_side
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED, HISTORY, PROBES, SCORES
from safety_assets.store import replace_text

if TYPE_CHECKING:
    from safety_assets.models.generate import Generator
    from safety_assets.training.run import Trained, TrainingOrder

Report = Callable[[Mapping[str, object]], None]
ShouldStop = Callable[[], bool]


def run_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Run an order; the result says where the files are.

    Raises:
        TrainingError: stopped, after the checkpoint was saved, or the order is of no known kind.
    """
    match order["kind"]:
        case "train":
            return _train_order(order, report, should_stop)
        case "calibrate":
            return _calibrate_order(order, report, should_stop)
        case "point":
            return _point_order(order, report, should_stop)
        case "steps":
            return _steps_order(order, report, should_stop)
        case "measure":
            return _measure_order(order)
        case kind:
            raise TrainingError(f"order of kind {kind}", expected="train, calibrate, point, steps or measure")


def _train_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    probes = PROBES.check(pl.read_parquet(order["probes"]))
    work = Path(order["work"])
    baseline = _once(work / "watch_baseline.json", functools.partial(_watch_baseline, order, probes, report))
    trained = _train(
        order | {"baseline": baseline}, order["share"], work, watched=True, report=report, should_stop=should_stop
    )
    history = work / "history.parquet"
    HISTORY.check(trained.history).write_parquet(history)
    facts = {**trained.facts, "watch_baseline": baseline}
    return {"model": str(trained.model), "history": str(history), "facts": facts}


def _watch_baseline(order: dict, probes: pl.DataFrame, report: Report) -> dict[str, float]:
    """The base on the watch probes: what the monitor compares with."""
    return dimension_scores(probes, _generator(order, Path(order["base"]), report), order["max_new_tokens"])


def _calibrate_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Score the base and each share on the same probes; what an earlier child finished is not done again."""
    base = _once(
        Path(order["work"]) / "base.json", lambda: _score_model(order, Path(order["base"]), report, should_stop)
    )

    def told(done: int) -> None:
        report({"event": "sweep", "done": done, "of": len(order["shares"])})

    told(0)
    if order["processes"] > 1:
        alone = [point_order(order, share) for share in order["shares"]]
        run_side_by_side(alone, order["processes"], should_stop, told)
    points: list[dict] = []
    for share in order["shares"]:
        point = _point_order(point_order(order, share), report, should_stop)
        points.append({"share": share, **point})
        report({"share": share, "state": "scored", **point})
        if order["processes"] == 1:
            told(len(points))
    return {"base": base, "points": points}


def point_order(order: dict, share: float) -> dict:
    """The order for one share of a sweep, in a folder of its own."""
    work = Path(order["work"]) / f"share-{share:g}"
    work.mkdir(parents=True, exist_ok=True)
    own = {"kind": "point", "share": share, "work": str(work), "result": str(work / "result.json")}
    alone = {"threads": 1, "devices": 1, "sharding": "none"} if order["processes"] > 1 else {}
    return order | own | alone


def _point_order(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Train one share and score it, unless that was done before."""

    def measure() -> dict:
        report({"share": order["share"], "state": "started"})
        folder = Path(order["work"])
        trained = _train(order, order["share"], folder, watched=False, report=report, should_stop=should_stop)
        return _score_model(order, trained.model, report, should_stop)

    return _once(Path(order["work"]) / "point.json", measure)


def _train(
    order: dict, share: float, folder: Path, *, watched: bool, report: Report, should_stop: ShouldStop
) -> "Trained":
    """Train here; on several devices other processes take the steps, and this one finishes."""
    from safety_assets.training.run import train

    began = time.perf_counter()
    order = order | {"share": share, "folder": str(folder), "watched": watched}
    if order["devices"] > 1:
        run_on_devices(order | {"kind": "steps", "events": str(folder / "events.jsonl")}, report, should_stop)
    trained = train(_wanted(order, order["device"]), watch=_watch(order), report=report, should_stop=should_stop)
    trained.facts["seconds"] = time.perf_counter() - began
    return trained


def _measure_order(order: dict) -> dict:
    """What a few steps and a few answers cost here; the device is asked as it stands, alone."""
    from safety_assets.training.measure import measure_steps

    probes = PROBES.check(pl.read_parquet(order["probes"]))
    training = {name: asdict(measure_steps(_wanted(order | wanted, order["device"])))
                for name, wanted in order["recipes"].items()}  # fmt: skip
    generator = _generator(order, Path(order["base"]))
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

        train_steps(_wanted(order, device), ranks, watch=_watch(order), report=tell, should_stop=should_stop)
    return {}


def _wanted(order: dict, device: str) -> "TrainingOrder":
    from safety_assets.training.run import TrainingOrder

    folder = Path(order["folder"])
    return TrainingOrder(
        recipe=Recipe.model_validate(order["recipe"]),
        share=order["share"],
        base=Path(order["base"]),
        rows=AUDITED.check(pl.read_parquet(order["rows"])),
        baseline=order["baseline"],
        work=folder / "state",
        out=folder / "out",
        device=device,
        threads=order["threads"],
        seed=order["seed"],
        devices=order["devices"],
    )


def _watch(order: dict) -> "Callable[[Generator], dict[str, float]] | None":
    """Scores per dimension on the watch split: all that training ever sees of the probes. None: not watched."""
    if not order["watched"]:
        return None
    probes = PROBES.check(pl.read_parquet(order["probes"]))

    def score(generator: "Generator") -> dict[str, float]:
        return dimension_scores(probes, generator, order["max_new_tokens"])

    return score


def dimension_scores(probes: pl.DataFrame, generator: "Generator", max_new_tokens: int) -> dict[str, float]:
    """Dimension to score on the 0-10 scale; a dimension that could not be scored is left out."""
    table = summarise(score_probes(probes, generator, max_new_tokens), DIMENSIONS).filter(pl.col("slice") == "seen")
    return {row["dimension"]: row["score"] for row in table.iter_rows(named=True) if row["score"] is not None}


def score_probes(probes: pl.DataFrame, generator: "Generator", max_new_tokens: int) -> pl.DataFrame:
    """SCORES of one model on these probes."""
    return SCORES.check(judge(probes, ask(probes, generator, max_new_tokens=max_new_tokens)))


def _score_model(order: dict, folder: Path, report: Report, should_stop: ShouldStop) -> dict:
    """Safety and over-refusal of one model on the calibration probes, with intervals."""
    if should_stop():
        raise TrainingError("the calibration sweep was stopped between two shares", do="launch it again: it resumes")
    probes = PROBES.check(pl.read_parquet(order["probes"]))
    scores = score_probes(probes, _generator(order, folder, report), order["max_new_tokens"])
    safety = summarise(scores, DIMENSIONS).row(
        by_predicate=(pl.col("dimension") == "safety") & (pl.col("slice") == "seen"), named=True
    )
    refused = over_refusal(scores)
    return {
        "safety": safety["score"], "safety_low": safety["low"], "safety_high": safety["high"],
        "over_refusal": refused["rate"], "over_refusal_low": refused["low"], "over_refusal_high": refused["high"],
    }  # fmt: skip


def _generator(order: dict, folder: Path, report: Report = lambda message: None) -> "Generator":
    from safety_assets.models.generate import Generator
    from safety_assets.models.load import load_model

    loaded = load_model(folder, device=order["device"], threads=order["threads"])

    def told(done: int, of: int) -> None:
        report({"event": "answered", "model": folder.name, "done": done, "of": of})

    return Generator(loaded, batch_rows=order["generation_batch"], told=told)


def _once(path: Path, work: Callable[[], dict]) -> dict:
    """A small result kept as a file, so that a resumed sweep does not measure it again."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps(work()))
    return json.loads(path.read_text())
