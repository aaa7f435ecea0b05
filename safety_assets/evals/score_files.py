"""Responses and scores as Parquet files of their own, each with what is known of how it came about."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import polars as pl

from safety_assets.errors import EvaluationError, StoreError
from safety_assets.records import PROBES, Table
from safety_assets.store import digest_json

MARK = "safety_assets"
"""The key of the facts in the file's own metadata."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """How answers and their scores came about. What nobody said is None.

    Args:
        name: of the model, for people.
        model: identity digest of the weights.
        probes: what the probe set is called.
        probes_digest: of every column of every probe.
        asked: digest of the questions alone: ids, chats, choices.
        max_new_tokens: longest answer.
        how: dtype, decoding and code that answered.
        judge_digest: of code and weights of the judge; of scores.
    """

    name: str | None = None
    model: str | None = None
    probes: str | None = None
    probes_digest: str | None = None
    asked: str | None = None
    max_new_tokens: int | None = None
    how: Mapping[str, Any] = field(default_factory=dict)
    judge_digest: str | None = None


def asked_digest(probes: pl.DataFrame) -> str:
    """Digest of the questions of PROBES, in whatever order."""
    questions = PROBES.check(probes).select("probe_id", "messages", "choices")
    return digest_json(questions.sort("probe_id").to_dicts())


def write_table(path: Path | IO[bytes], frame: pl.DataFrame, table: Table, facts: Facts) -> None:
    """Write responses or scores with their facts."""
    said = json.dumps({**vars(facts), "how": dict(facts.how)}, ensure_ascii=False)
    table.check(frame).write_parquet(path, compression="zstd", metadata={MARK: said})


def read_table(path: Path, table: Table) -> tuple[pl.DataFrame, Facts]:
    """Responses or scores with their facts, as far as the file has any.

    Raises:
        EvaluationError: the file is no such table.
    """
    try:
        frame, said = table.check(pl.read_parquet(path)), pl.read_parquet_metadata(path).get(MARK)
        known = json.loads(said) if said else {}
    except (pl.exceptions.PolarsError, StoreError, ValueError, OSError) as error:
        raise EvaluationError(
            f"{path} holds no {table.name}: {error}", expected=f"a Parquet file of {table.name}",
            do="name a file that `safety-assets score` wrote",
        ) from error  # fmt: skip
    return frame, Facts(**{name: value for name, value in known.items() if name in Facts.__dataclass_fields__})
