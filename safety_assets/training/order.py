"""What is to be trained, as the caller says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from safety_assets.frames import Shards
from safety_assets.recipes import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainingOrder:
    """What is to be trained.

    Args:
        recipe: how.
        share: injected rows / all rows, in [0, 1); 0 trains on the corpus alone.
        base: folder of the base model.
        rows: an AUDITED table, in memory or on disk; its split `train` is used.
        baseline: score of the base per dimension, 0 to 10, for the monitor.
        work: folder for the resumable state; the caller removes it when the checkpoint is stored.
        out: folder that will hold the trained model.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; unchanged when None.
        seed: instead of the recipe's.
        devices: how many processes took the steps; a fact of the run, each of them is told its place by `Ranks`.
        pretrained: folder of the unaligned ancestor; None where the project names none.
        anatomy: folder of the description of where safety lives in the base; None where there is none yet.
    """

    recipe: Recipe
    share: float
    base: Path
    rows: pl.DataFrame | Shards
    baseline: Mapping[str, float] = field(default_factory=dict)
    work: Path
    out: Path
    device: str = "auto"
    threads: int | None = None
    seed: int | None = None
    devices: int = 1
    anatomy: Path | None = None
    pretrained: Path | None = None
