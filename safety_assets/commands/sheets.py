"""Sheets of answers for people to label."""

from pathlib import Path

import polars as pl

from safety_assets.commands.replaced import replaced
from safety_assets.errors import EvaluationError


def write_sheet(out: Path, found: pl.DataFrame) -> None:
    """Write answers to be labelled; EvaluationError where the file is there already."""
    if out.exists():
        raise EvaluationError(f"{out} exists", do="name another file, or read this one in and remove it")
    with replaced(out) as fresh:
        found.write_csv(fresh)
