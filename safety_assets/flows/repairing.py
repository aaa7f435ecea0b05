"""Repairs in the training child: before training on the base, after it on the trained weights, or on a checkpoint.

Each repair leaves its folder and what it found under the order's work folder, so that an interrupted order goes on
behind the last one that was finished. What chooses among candidates reads the calibration probes alone.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from safety_assets.errors import TrainingError
from safety_assets.flows.child import Report, ShouldStop, once, score_probes, train_one
from safety_assets.flows.sweep import figures
from safety_assets.frames import open_shards
from safety_assets.method_specs import GradientSurgery
from safety_assets.recipes import Optimiser, Recipe
from safety_assets.records import AUDITED, PROBES
from safety_assets.repair_specs import OneShotPatch, RepairSpec

if TYPE_CHECKING:
    from safety_assets.models.chat import Chat
    from safety_assets.repairs.apply import Sources
    from safety_assets.repairs.measured import Measured

LOSS_ROWS = 128
"""Rows of the corpus that a repair reads the task loss from."""
ANSWERED_ROWS = 1024
"""Corpus rows and look-alikes that a repair may draw from."""


@dataclass(frozen=True)
class Repaired:
    """Repaired weights, and what each repair did: its spec and what it found, as JSON values."""

    model: Path
    facts: list[dict]


def apply_repairs(
    order: dict, specs: Sequence[RepairSpec], tuned: Path, moment: str, report: Report, should_stop: ShouldStop
) -> Repaired:
    """Apply repairs one after the other, each to what the one before left.

    Args:
        order: names base, pretrained, rows and calibration probes.
        tuned: the weights to begin with; they stay as they are.
        moment: what their folders are called under the order's work folder.

    Raises:
        TrainingError: told to stop, or a repair cannot have what it needs.
        ModelError: as the repairs say.
    """
    facts = []
    for place, spec in enumerate(specs):
        if should_stop():
            raise TrainingError("repairing was stopped between two repairs", do="launch it again: it goes on there")
        folder = Path(order["work"]) / f"{moment}-{place}-{spec.repair}"
        work = functools.partial(_repair, order, spec, tuned, folder, report, should_stop)
        facts.append(once(folder / "facts.json", work))
        report({"event": "repaired", "moment": moment, "repair": spec.repair})
        tuned = folder / "model"
    return Repaired(tuned, facts)


def _repair(order: dict, spec: RepairSpec, tuned: Path, folder: Path, report: Report, should_stop: ShouldStop) -> dict:
    from safety_assets.repairs.apply import repair

    sources = _sources(order, folder, report, should_stop)
    found = repair(spec, tuned, folder / "model", sources)
    return {"repair": spec.repair, "spec": spec.model_dump(mode="json"), "found": found}


def _sources(order: dict, folder: Path, report: Report, should_stop: ShouldStop) -> "Sources":
    """Everything that repairs may read; a base or ancestor with an adapter is merged once."""
    from safety_assets.models.stored import merged_folder
    from safety_assets.repairs.apply import Sources

    work, named = Path(order["work"]), order.get("pretrained")
    return Sources(
        base=merged_folder(Path(order["base"]), work / "base-merged"),
        pretrained=merged_folder(Path(named), work / "pretrained-merged") if named else None,
        refusals=_chats(order, "refusal"),
        answered={origin: _chats(order, origin, ANSWERED_ROWS) for origin in ("corpus", "lookalike")},
        measure=lambda model: measure(order, model, report),
        train=functools.partial(_train, order, folder, report, should_stop),
    )


def _chats(order: dict, origin: str, most: int | None = None) -> list["Chat"]:
    """Rows of the training split that fit the recipe's length; so many at most, spread over all of them."""
    from safety_assets.models.load import read_tokenizer
    from safety_assets.training.encode import encode_rows

    found = open_shards(Path(order["rows"]), AUDITED).lazy().filter(split="train", origin=origin)
    if most is not None:
        height = int(found.select(pl.len()).collect().item())
        found = found.gather_every(max(1, height // most)).head(most)
    rows = found.collect()
    tokenizer = read_tokenizer(Path(order["base"]))
    fit, _ = encode_rows(tokenizer, rows, max_tokens=order["recipe"]["max_tokens"])
    kept = rows.filter(pl.col("row_id").is_in([row.row_id for row in fit]))
    chats: list[Chat] = kept["messages"].to_list()
    return chats


def measure(order: dict, model: Path, report: Report = lambda message: None) -> "Measured":
    """One model on the calibration probes, and its loss on rows of the corpus that are no exam."""
    from safety_assets.models.generate import Generator
    from safety_assets.models.load import load_model
    from safety_assets.repairs.measured import Measured
    from safety_assets.training.held_out import mean_loss

    def told(done: int, of: int) -> None:
        report({"event": "answered", "model": model.name, "done": done, "of": of})

    loaded = load_model(model, device=order["device"], threads=order["threads"])
    probes = PROBES.check(pl.read_parquet(order["calibrate"]))
    generator = Generator(loaded, batch_rows=order["generation_batch"], told=told)
    found = figures([score_probes(probes, generator, order["max_new_tokens"])])
    loss = mean_loss(loaded, _loss_rows(order), max_tokens=order["recipe"]["max_tokens"])
    return Measured(safety=found["safety"], over_refusal=found["over_refusal"], task_loss=loss)


def _loss_rows(order: dict) -> pl.DataFrame:
    """Corpus rows spread over those held out; over those trained on where the held-out ones are the exam."""
    split = "train" if order["held_out_is_exam"] else "held_out"
    rows = open_shards(Path(order["rows"]), AUDITED).lazy().filter(split=split, origin="corpus").collect()
    return rows.gather_every(max(1, rows.height // LOSS_ROWS)).head(LOSS_ROWS)


def _train(
    order: dict, folder: Path, report: Report, should_stop: ShouldStop, start: Path, chats: Sequence["Chat"],
    kept: Sequence["Chat"], spec: OneShotPatch, out: Path,
) -> None:  # fmt: skip
    """A few steps on a few chats, through the ordinary loop on one device; surgery holds the kept ones."""
    work = folder / f"{out.name}.work"
    work.mkdir(parents=True, exist_ok=True)
    told = [("corpus", chat) for chat in chats] + [("anchor", chat) for chat in kept]
    rows = [
        {"row_id": f"{i:016x}", "messages": chat, "origin": origin, "group": str(i), "split": "train"}
        for i, (origin, chat) in enumerate(told)
    ]
    size = min(spec.batch_rows or len(chats), len(chats))
    surgery = GradientSurgery(method="gradient_surgery", batch_rows=size, origins=("anchor",))
    AUDITED.frame(rows).write_parquet(work / "rows.parquet")
    recipe = Recipe(
        name="patch", description="a few steps on a few refusals", injection="none", seed=spec.seed,
        max_tokens=order["recipe"]["max_tokens"], precision=order["recipe"]["precision"],
        optimiser=Optimiser(
            learning_rate=spec.learning_rate, steps=spec.steps, schedule=spec.schedule, batch_rows=size,
        ),
        methods=(surgery,) if kept else (),
    )  # fmt: skip
    own = {
        "recipe": recipe.model_dump(mode="json"), "base": str(start), "rows": str(work / "rows.parquet"),
        "baseline": {}, "devices": 1, "sharding": "none", "seed": None,
    }  # fmt: skip
    trained = train_one(order | own, 0.0, work, watched=False, report=report, should_stop=should_stop)
    trained.model.rename(out)


def in_words(facts: Sequence[dict]) -> str:
    """What was applied, for a card and a decision: `merge (share 0.6), one_shot (steps 10, ...)`."""
    return ", ".join(f"{one['repair']} ({_knobs(one)})" for one in facts)


def _knobs(one: dict) -> str:
    chosen = {key: value for key, value in one["found"].items() if key in ("share", "chosen") and value is not None}
    said = chosen | {k: v for k, v in one["spec"].items() if isinstance(v, int | float | str) and k not in chosen}
    return ", ".join(f"{key} {value}" for key, value in said.items() if key != "repair")


def from_json(specs: Sequence[dict]) -> tuple[RepairSpec, ...]:
    """Repairs of an order, as a recipe reads them."""
    minimal = {"description": "an order", "optimiser": {"learning_rate": 1e-5, "steps": 1}, "injection": "none"}
    return Recipe.model_validate(json.loads(json.dumps({**minimal, "finish": list(specs)}))).finish
