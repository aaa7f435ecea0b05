"""Cells whose weights are repaired: the base before training (`start`), what training left after it (`finish`).

What training left at a seed and poison is kept, and every repair of a recipe begins with it. A repair that chooses
among candidates asks the `calibrate` probes and held-out corpus rows, as in the assets.
"""

import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.tournament_cell import Arena, Cell, score, trained
from safety_assets.flows.corpus import sweep_probes
from safety_assets.flows.repairing import apply_repairs
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED, PROBES
from safety_assets.store import write_frame


def repair_cell(arena: Arena, cell: Cell) -> dict[str, object]:
    """Train unless that was done, repair and score; what is written of the cell. Seconds of training are those of
    this call: none where the trained weights were there."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.process_time()
        tuned, facts = tuned_weights(arena, cell, Path(scratch))
        trained_at = time.process_time()
        order = repair_order(arena, cell.recipe, cell.poison, cell.seed, Path(scratch))
        done = apply_repairs(order, cell.recipe.finish, tuned, "finish", lambda event: None, lambda: False)
        repaired_at = time.process_time()
        found = score(arena, done.model)
    seconds = {
        "train_seconds": round(trained_at - began, 1), "repair_seconds": round(repaired_at - trained_at, 1),
        "score_seconds": round(time.process_time() - repaired_at, 1),
    }  # fmt: skip
    said = {"repairs": [_said(one) for one in done.facts]} if done.facts else {}
    return {
        "recipe": cell.recipe.name, "seed": cell.seed, "poison": cell.poison, **facts, **said, **found, **seconds,
    }  # fmt: skip


def tuned_weights(arena: Arena, cell: Cell, scratch: Path) -> tuple[Path, dict[str, object]]:
    """What the recipe's training leaves, kept under `cell.trained`, and what is written of it."""
    kept, recipe = arena.checkpoint(cell.trained), cell.recipe
    facts: dict[str, object] = {
        "share": arena.order(recipe, AUDITED.frame([]), cell.seed, scratch).share,
        "steps": recipe.optimiser.steps,
    }
    if not kept.is_dir():
        order = repair_order(arena, recipe, cell.poison, cell.seed, scratch)
        begun = apply_repairs(order, recipe.start, arena.base, "start", lambda event: None, lambda: False)
        model, told = trained(arena, recipe, cell.poison, cell.seed, scratch, begun.model)
        facts |= told
        kept.parent.mkdir(parents=True, exist_ok=True)
        whole = shutil.copytree(model, Path(tempfile.mkdtemp(dir=kept.parent)) / "model")
        shutil.rmtree(kept, ignore_errors=True)
        whole.rename(kept)
        whole.parent.rmdir()
    return kept, facts


def repair_order(arena: Arena, recipe: Recipe, poison: float, seed: int, work: Path) -> dict:
    """What repairs read, as the training child hands it to them."""
    write_frame(work, "rows", arena.rows(poison, seed), AUDITED)
    write_frame(work, "calibrate", sweep_probes(arena.probes()), PROBES)
    return {
        "recipe": recipe.model_dump(mode="json"), "base": str(arena.base),
        "pretrained": None if arena.pretrained is None else str(arena.pretrained),
        "rows": str(work / "rows.parquet"), "calibrate": str(work / "calibrate.parquet"), "baseline": {},
        "work": str(work), "held_out_is_exam": False, "device": "cpu", "devices": 1, "sharding": "none", "threads": 1,
        "max_new_tokens": arena.max_new_tokens, "generation_batch": 128, "seed": None,
    }  # fmt: skip


def _said(fact: dict) -> dict:
    """The spec of a repair and what it chose."""
    chosen = {name: fact["found"][name] for name in ("share", "chosen", "keeps_the_limit") if name in fact["found"]}
    return {**fact["spec"], **chosen}
