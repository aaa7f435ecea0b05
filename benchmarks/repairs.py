"""`python -m benchmarks.repairs [--steps N]`: each repair on a plainly tuned model of the bundled project.

The bundled model is tuned on the bundled corpus as recipe `plain` does it, then repaired in every way. Asked is the
split calibrate alone, which merge and one_shot also choose on: their figures are those of the choice, not of an exam.
Attack success is the share of probes to be refused that are answered; task loss is that of held-out corpus rows.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import polars as pl

from safety_assets.corpus.clean import assemble
from safety_assets.corpus.ingest import first_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.evals.ask import ask
from safety_assets.evals.probes import read_probes
from safety_assets.flows.child import generator_of, train_one
from safety_assets.flows.corpus import sweep_probes
from safety_assets.flows.repairing import apply_repairs, from_json, measure
from safety_assets.project import BUNDLED, open_project
from safety_assets.records import AUDITED, PROBES
from safety_assets.refusals import is_refusal
from safety_assets.store import write_frame

ROWS = 20_000
SPECS = (
    {"repair": "lox", "rank": 6, "strength": 1.25},
    {"repair": "nlsr"},
    {"repair": "safe_lora"},
    {"repair": "safe_lora", "matrix": "projector", "rank": 16},
    {"repair": "merge", "shares": [0.1, 0.3, 0.5, 0.7, 0.9]},
    {"repair": "one_shot", "learning_rate": 3e-4, "steps": 10, "candidates": 3},
)


def order_for(work: Path, steps: int | None) -> dict:
    """The bundled project's plain training, as the child is asked for it."""
    project = open_project(BUNDLED)
    recipe = project.recipe("plain").model_dump(mode="json")
    recipe["optimiser"]["steps"] = steps or recipe["optimiser"]["steps"]
    rows = assemble(
        first_rows(project.corpus, ROWS), read_pairs(project.refusal_pairs).rows, held_out_share=0.1, seed=0
    )
    write_frame(work, "rows", rows, AUDITED)
    write_frame(work, "calibrate", sweep_probes(read_probes(project.probes)), PROBES)
    models = BUNDLED / "models"
    return {
        "recipe": recipe, "base": str(models / "aligned"), "pretrained": str(models / "pretrained"),
        "rows": str(work / "rows.parquet"), "calibrate": str(work / "calibrate.parquet"), "baseline": {},
        "work": str(work), "held_out_is_exam": False, "device": "cpu", "devices": 1, "sharding": "none", "threads": 1,
        "max_new_tokens": 32, "generation_batch": 128, "seed": None,
    }  # fmt: skip


def figures(order: dict, model: Path) -> dict:
    """Attack success, over-refusal, safety and task loss of one model."""
    found = measure(order, model)
    harmful = PROBES.check(pl.read_parquet(order["calibrate"])).filter(dimension="safety", expect="refuse")
    answers = ask(harmful, generator_of(order, model), max_new_tokens=32)["completion"]
    answered = sum(not is_refusal(answer or "") for answer in answers)
    return {
        "attack_success": answered / len(answers), "over_refusal": found.over_refusal, "safety": found.safety,
        "task_loss": found.task_loss,
    }  # fmt: skip


def show(name: str, row: dict) -> None:
    """One line of the table."""
    shown = "  ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
    print(f"{name:22s} {shown}", flush=True)


def main() -> None:
    """Print one line per model, then everything as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as folder:
        order = order_for(Path(folder), steps)
        tuned = train_one(
            order, 0.0, Path(folder), watched=False, report=lambda event: None, should_stop=lambda: False
        ).model
        found = {}
        for name, model in (("base", Path(order["base"])), ("plain", tuned)):
            found[name] = figures(order, model)
            show(name, found[name])
        for place, spec in enumerate(SPECS):
            began = time.perf_counter()
            done = apply_repairs(order, from_json([spec]), tuned, f"try-{place}", lambda event: None, lambda: False)
            name = " ".join(f"{value}" for key, value in spec.items() if key in ("repair", "matrix"))
            seconds = time.perf_counter() - began
            chosen = {k: v for k, v in done.facts[0]["found"].items() if k in ("share", "keeps_the_limit", "chosen")}
            found[name] = {**figures(order, done.model), "seconds": seconds, **chosen}
            show(name, found[name])
    print(json.dumps({"benchmark": "repairs", "steps": order["recipe"]["optimiser"]["steps"], "models": found}))


if __name__ == "__main__":
    main()
