"""What all cells of the tournament share, written once: rows, probes, tasks, the base's scores, and their digests."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from benchmarks.source_digest import source_digest
from benchmarks.tournament_cell import Arena, gate_scores
from benchmarks.tournament_results import RUN
from safety_assets.flows import inputs, models
from safety_assets.flows.corpus import chosen_share
from safety_assets.flows.workspace import Workspace
from safety_assets.models.generate import Generator
from safety_assets.models.load import load_model
from safety_assets.records import AUDITED, PROBES, TASKS
from safety_assets.store import digest_folder, digest_json

Inputs = Mapping[str, object]
"""Digests of the base, the rows, the probes and the tasks, and the calibrated share."""


def set_up(ws: Workspace, folder: Path) -> tuple[Arena, Inputs]:
    """Write what the store holds into a folder, score the base once, and say what the cells depend on.

    Raises:
        StoreError: an artefact is missing.
        SystemExit: the sweep chose no share.
    """
    folder.mkdir(parents=True, exist_ok=True)
    share = chosen_share(inputs.current(ws, "injection_ratio"))
    if share is None:
        raise SystemExit("the calibration sweep chose no share; look at injection_ratio of this store")
    tables = {"rows": ("audited_corpus", AUDITED), "probes": ("probe_suite", PROBES), "tasks": ("task_set", TASKS)}
    for name, (asset, kind) in tables.items():
        inputs.current(ws, asset).frame(name, kind).write_parquet(folder / f"{name}.parquet")
    arena = Arena(
        folder=folder, base=models.base(ws.project), share=share, anatomy=inputs.current(ws, "safety_anatomy").path,
        metric=ws.project.settings.task_metric, max_new_tokens=ws.project.settings.max_new_tokens,
        pretrained=models.pretrained(ws.project),
    )  # fmt: skip
    found = {name: _digest(pl.read_parquet(folder / f"{name}.parquet")) for name in tables}
    base = load_model(arena.base, device="cpu", threads=1)
    _score_base(arena, Generator(base), digest_json([base.digest, found["probes"], source_digest(RUN)]))
    ancestor = None if arena.pretrained is None else load_model(arena.pretrained, device="cpu", threads=1).digest
    rest = {"share": share, "anatomy": _anatomy_digest(arena), "pretrained": ancestor}
    return arena, {"base": base.digest, **rest, **found}


def _score_base(arena: Arena, generator: Generator, key: str) -> None:
    mark = arena.folder / "base_scores.txt"
    if not mark.is_file() or mark.read_text() != key:
        gate_scores(arena, generator).write_parquet(arena.folder / "base_scores.parquet")
        mark.write_text(key)


def _digest(frame: pl.DataFrame) -> str:
    return digest_json(frame.to_dicts())


def _anatomy_digest(arena: Arena) -> str:
    assert arena.anatomy is not None
    return digest_json(digest_folder(arena.anatomy))
