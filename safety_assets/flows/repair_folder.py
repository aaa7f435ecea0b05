"""One repair of weights that lie in a folder, outside the graph: the result is a model folder that the gate takes."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from safety_assets.corpus.clean import assemble
from safety_assets.corpus.ingest import first_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.errors import ModelError, ProjectError
from safety_assets.evals.probes import read_probes
from safety_assets.flows.candidates import open_candidate
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.corpus import place_settings, sweep_probes
from safety_assets.flows.sources import digest_settings, files_digest, model_digest
from safety_assets.flows.tasks import SPLIT_SEED
from safety_assets.flows.workspace import Workspace
from safety_assets.recipes import Optimiser, Recipe
from safety_assets.records import AUDITED, PROBES
from safety_assets.repair_specs import RepairSpec
from safety_assets.store import digest_json, write_frame

READ_ROWS = 512
"""Corpus rows that a repair may read its task loss from."""
LONGEST_TOKENS = 1024
"""Longer rows are left out, as they are where the model's context is shorter."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The folders of a repair.

    Args:
        base: the aligned model that tuning started from.
        tuned: what tuning made of it, a model folder or an adapter.
        pretrained: the base's unaligned ancestor.
        out: the folder to be written; it must not exist.
    """

    base: Path
    tuned: Path
    pretrained: Path | None
    out: Path


def repair_folder(ws: Workspace, spec: RepairSpec, weights: Weights, probes: Path) -> dict:
    """Repair, and say what was done; an interrupted call goes on where it stopped.

    Args:
        probes: folder of probes, of which the split calibrate is asked.

    Raises:
        ProjectError: the output folder is there already.
        ModelError: a folder is no complete model, or the models are not of one architecture.
        TrainingError: the repair needs the ancestor and none is given.
    """
    if weights.out.exists():
        raise ProjectError(f"{weights.out} is there already", expected="a new folder", do="name another, or remove it")
    if "pretrained" in spec.needs and weights.pretrained is None:
        raise ModelError(
            f"{spec.repair} reads what alignment changed", expected="the base's unaligned ancestor",
            do="name it with --pretrained, or take merge or one_shot",
        )  # fmt: skip
    tuned = open_candidate(ws.project, weights.tuned, weights.base)
    digests = {"base": model_digest(weights.base), "tuned": model_digest(tuned)}
    if weights.pretrained is not None:
        digests["pretrained"] = model_digest(weights.pretrained)
    parts = [digest_settings(spec), digests, files_digest(probes), sources_version("repairs", "models", "training")]
    key = digest_json(["repair", parts])
    with ws.store.lock(key, f"the repair of {weights.tuned.name}"):
        result = ws.launch(_order(ws, spec, weights, tuned, probes, ws.store.work(key)))
        weights.out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(result["model"], weights.out)
        shutil.rmtree(ws.store.work(key), ignore_errors=True)
    return {**result["repairs"][0], "digests": digests | {"repaired": model_digest(weights.out)}}


def _order(ws: Workspace, spec: RepairSpec, weights: Weights, tuned: Path, probes: Path, work: Path) -> dict:
    rows, pairs = first_rows(ws.project.corpus, READ_ROWS), read_pairs(ws.project.refusal_pairs).rows
    write_frame(work, "rows", assemble(rows, pairs, held_out_share=0.0, seed=SPLIT_SEED), AUDITED)
    write_frame(work, "calibrate", sweep_probes(read_probes(probes)), PROBES)
    recipe = Recipe(
        name="repair", description="an order", injection="none", optimiser=Optimiser(learning_rate=1e-5, steps=1),
        max_tokens=min(LONGEST_TOKENS, _context(weights.base)),
    )  # fmt: skip
    return {
        "kind": "repair", "repairs": [spec.model_dump(mode="json")], "recipe": recipe.model_dump(mode="json"),
        "base": str(weights.base.resolve()), "tuned": str(tuned.resolve()),
        "pretrained": str(weights.pretrained.resolve()) if weights.pretrained else None,
        "rows": str(work / "rows.parquet"), "calibrate": str(work / "calibrate.parquet"), "held_out_is_exam": True,
        "work": str(work), "result": str(work / "result.json"), "total_steps": 0,
    } | place_settings(ws)  # fmt: skip


def _context(folder: Path) -> int:
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return int(said.get("max_position_embeddings") or said.get("n_positions") or LONGEST_TOKENS)
