"""What the orders of the training child are made of: train one recipe, ask a model, keep a small result.

An order is a JSON value; frames travel as Parquet files in the order's work folder.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from safety_assets.evals.ask import ask
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import summarise
from safety_assets.flows.several_devices import run_on_devices
from safety_assets.frames import open_shards
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED, PROBES, SCORES
from safety_assets.store import replace_text

if TYPE_CHECKING:
    from safety_assets.models.generate import Generator
    from safety_assets.training.order import TrainingOrder
    from safety_assets.training.run import Trained

Report = Callable[[Mapping[str, object]], None]
ShouldStop = Callable[[], bool]


def train_one(
    order: dict, share: float, folder: Path, *, watched: bool, report: Report, should_stop: ShouldStop
) -> "Trained":
    """Train here; on several devices other processes take the steps, and this one finishes."""
    from safety_assets.training.run import train

    began = time.perf_counter()
    order = order | {"share": share, "folder": str(folder), "watched": watched}
    if order["devices"] > 1:
        run_on_devices(order | {"kind": "steps", "events": str(folder / "events.jsonl")}, report, should_stop)
    trained = train(wanted(order, order["device"]), watch=watch_of(order), report=report, should_stop=should_stop)
    trained.facts["seconds"] = time.perf_counter() - began
    return trained


def wanted(order: dict, device: str) -> "TrainingOrder":
    """The order as the training package takes it."""
    from safety_assets.training.order import TrainingOrder

    folder = Path(order["folder"])
    return TrainingOrder(
        recipe=Recipe.model_validate(order["recipe"]),
        share=order["share"],
        base=Path(order["base"]),
        rows=open_shards(Path(order["rows"]), AUDITED),
        baseline=order["baseline"],
        work=folder / "state",
        out=folder / "out",
        device=device,
        threads=order["threads"],
        seed=order["seed"],
        devices=order["devices"],
        anatomy=Path(order["anatomy"]) if "anatomy" in order else None,
        pretrained=Path(order["pretrained"]) if order.get("pretrained") else None,
    )


def watch_of(order: dict) -> "Callable[[Generator], dict[str, float]] | None":
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


def generator_of(order: dict, folder: Path, report: Report = lambda message: None) -> "Generator":
    """A generator over the weights in a folder, on the order's device; it tells how many answers are there."""
    from safety_assets.models.generate import Generator
    from safety_assets.models.load import load_model

    loaded = load_model(folder, device=order["device"], threads=order["threads"])

    def told(done: int, of: int) -> None:
        report({"event": "answered", "model": folder.name, "done": done, "of": of})

    return Generator(loaded, batch_rows=order["generation_batch"], told=told)


def once(path: Path, work: Callable[[], dict]) -> dict:
    """A small result kept as a file, so that a resumed sweep does not measure it again."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps(work()))
    return json.loads(path.read_text())
