"""What Dagster shows of an asset before any run: the columns of its table, and where its code stands."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from safety_assets.evals.forgotten import FORGOTTEN
from safety_assets.flows.assets import FLOWS
from safety_assets.records import (
    AUDITED,
    CLOSENESS,
    DELTAS,
    DIMENSION_SCORES,
    FINDINGS,
    HISTORY,
    PAIRS,
    PROBES,
    RESPONSES,
    ROWS,
    Table,
)

TABLES: Mapping[str, Table] = {
    "raw_corpus": ROWS, "refusal_pairs": PAIRS, "corpus_closeness": CLOSENESS, "corpus_audit": FINDINGS,
    "audited_corpus": AUDITED, "probe_suite": PROBES, "baseline_responses": RESPONSES,
    "safety_baseline": DIMENSION_SCORES, "finetuned_checkpoint": HISTORY, "candidate_responses": RESPONSES,
    "eval_scores": DELTAS, "forgotten_behaviours": FORGOTTEN, "external_verdict": DELTAS,
}  # fmt: skip
"""The main table of each asset that has one."""


def definition_metadata(asset: str) -> dict[str, Any]:
    """The metadata of an asset's definition."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # code references are in beta in Dagster 1.13
        code = dg.CodeReferencesMetadataValue(code_references=[code_reference(FLOWS[asset])])
    return {"dagster/code_references": code} | (
        {"dagster/column_schema": column_schema(TABLES[asset])} if asset in TABLES else {}
    )


def column_schema(table: Table) -> dg.TableSchema:
    """A table of the records as Dagster shows it: every column with its type and meaning."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, type=type_name(dtype), description=meaning)
            for name, (dtype, meaning) in table.columns.items()
        ]
    )


def type_name(dtype: object) -> str:
    """A column type of Polars in a few letters: string, int64, list(struct)."""
    if isinstance(dtype, pl.List):
        return f"list({type_name(dtype.inner)})"
    kind = dtype.base_type() if isinstance(dtype, pl.DataType) else dtype
    return str(getattr(kind, "__name__", kind)).lower()


def code_reference(flow: Callable[..., object]) -> dg.LocalFileCodeReference:
    """File and line of the function that makes an asset."""
    file, line = Path(inspect.getsourcefile(flow) or ""), inspect.getsourcelines(flow)[1]
    return dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=f"flows/{file.name}")
