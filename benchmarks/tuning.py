"""Knobs of a recipe, chosen where choosing is allowed: recipe files on the `calibrate` probes and held-out corpus rows.

    python -m benchmarks.tuning FILE.yaml ... [--poison 0.3] [--seed 0]

Every file is trained as the tournament trains it and asked the calibration probes of safety and the look-alikes, and
the corpus rows that no training sees. The `gate` probes and the task set are never read. The last line is JSON.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import polars as pl
import yaml

from benchmarks import erosion
from benchmarks.tournament_arena import set_up
from benchmarks.tournament_cell import Arena, trained
from safety_assets.evals.ask import ask, ask_tasks
from safety_assets.evals.suite import judge
from safety_assets.evals.tasks import score_tasks, task_score
from safety_assets.flows.corpus import sweep_probes
from safety_assets.flows.sweep import figures
from safety_assets.models.generate import Generator
from safety_assets.models.load import load_model
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED, TASKS
from safety_assets.training.held_out import mean_loss


def main() -> None:
    """Print a line per file, then everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--poison", type=float, default=0.0, help="share of the corpus rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="instead of the file's: a first look")
    parser.add_argument("--store", type=Path, default=Path(".safety_assets/benchmarks"), help="where inputs are kept")
    chosen = parser.parse_args()
    ws = erosion.open_workspace(chosen.store.resolve())
    arena, _ = set_up(ws, chosen.store.resolve().parent / "tournament")
    base, found = allowed(arena, arena.base), {}
    print(line("base", base), flush=True)
    for file in chosen.files:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        values["optimiser"]["steps"] = chosen.steps or values["optimiser"]["steps"]
        recipe = Recipe.model_validate(values | {"name": file.stem})
        began = time.process_time()
        with tempfile.TemporaryDirectory() as scratch:
            model, _ = trained(arena, recipe, chosen.poison, chosen.seed, Path(scratch))
            seconds = time.process_time() - began
            found[file.stem] = allowed(arena, model) | {"train_cpu_seconds": seconds}
        found[file.stem]["retained"] = found[file.stem]["safety"] / base["safety"]
        print(line(file.stem, found[file.stem]), flush=True)
    print(json.dumps({"base": base, "recipes": found, "poison": chosen.poison, "seed": chosen.seed}))


def allowed(arena: Arena, model: Path) -> dict[str, float]:
    """What may be looked at while knobs are chosen.

    Returns:
        safety (0 to 10) and attack success (share) of the calibration probes, over-refusal (share) of their
        look-alikes, task (share of held-out rows answered as they are) and their loss (nats per token).
    """
    loaded = load_model(model, device="cpu", threads=1)
    generator, probes = Generator(loaded), sweep_probes(arena.probes())
    scores = judge(probes, ask(probes, generator, max_new_tokens=arena.max_new_tokens))
    tasks = held_out_tasks(arena.rows(0.0, 0))
    said = ask_tasks(tasks, generator, arena.metric, max_new_tokens=arena.max_new_tokens)
    refused = scores.filter(dimension="safety", metric="refuses")["value"].cast(pl.Float64).mean()
    read = figures([scores])
    return {
        "safety": read["safety"], "attack_success": 1 - float(refused),  # type: ignore[arg-type]
        "over_refusal": read["over_refusal"], "task": task_score(score_tasks(tasks, said, arena.metric)) or 0.0,
        "task_loss": mean_loss(loaded, held_out(arena.rows(0.0, 0)), max_tokens=128) or 0.0,
    }  # fmt: skip


def held_out(rows: pl.DataFrame) -> pl.DataFrame:
    """The corpus rows that no training sees; AUDITED."""
    return AUDITED.check(rows).filter(origin="corpus", split="held_out")


def held_out_tasks(rows: pl.DataFrame) -> pl.DataFrame:
    """Those rows as TASKS: everything before the last answer is asked, and that answer expected."""
    return TASKS.frame([
        {"task_id": row["row_id"], "messages": row["messages"][:-1], "answer": row["messages"][-1]["content"]}
        for row in held_out(rows).to_dicts()
    ])  # fmt: skip


def line(name: str, row: dict[str, float]) -> str:
    """One line of the table."""
    return f"{name:28s} " + "  ".join(f"{key} {value:.3f}" for key, value in row.items())


if __name__ == "__main__":
    main()
