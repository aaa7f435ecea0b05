"""The corpus in SQL: a DuckDB file of views over the Parquet files of the current artefacts, no data of its own.

The file is written whole under another name and moved into place, so that whoever has the older one open keeps it.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from safety_assets.errors import ProjectError, StoreError
from safety_assets.frames import Shards
from safety_assets.records import AUDITED, FINDINGS, PAIRS, QUARANTINE, ROWS, Table
from safety_assets.store import Store

FILE = "corpus.duckdb"

TABLES: tuple[tuple[str, str, str, Table], ...] = (
    ("rows", "raw_corpus", "rows", ROWS),
    ("quarantine", "raw_corpus", "quarantine", QUARANTINE),
    ("findings", "corpus_audit", "findings", FINDINGS),
    ("audited", "audited_corpus", "rows", AUDITED),
    ("pairs", "refusal_pairs", "pairs", PAIRS),
)
"""View, asset, table of the asset, its schema."""

TURNS = """
CREATE VIEW turns AS
SELECT row_id, source, line, turn - 1 AS turn, messages[turn].role AS role, messages[turn].content AS text
FROM (SELECT *, unnest(range(1, len(messages) + 1)) AS turn FROM rows)
"""
"""One row per message: `turn` counts from 0, as in findings."""


def write_views(store: Store) -> Path:
    """Write the file anew over what is current; a view of an asset that was never made is empty."""
    import duckdb

    store.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.root, prefix=".new-") as folder:
        fresh = Path(folder) / FILE
        with duckdb.connect(str(fresh)) as connection:
            for name, asset, table, schema in TABLES:
                try:
                    connection.execute(_view(name, _current(store, asset, table, schema), schema))
                except duckdb.Error:  # a damaged artefact is named by whoever needs it
                    connection.execute(_view(name, None, schema))
            connection.execute(TURNS)
        os.replace(fresh, store.root / FILE)
    return store.root / FILE


@dataclass(frozen=True)
class Answer:
    """What a query gave: column names, and a tuple per row."""

    columns: tuple[str, ...]
    rows: list[tuple]


def ask(store: Store, query: str) -> Answer:
    """The answer to one query over what is current now. It reads the artefacts of the store and no other file.

    Raises:
        ProjectError: the query is wrong, or is more than a question.
    """
    import duckdb

    with duckdb.connect(str(write_views(store)), read_only=True) as connection:
        try:
            query.encode()
            connection.execute(f"SET allowed_directories = [{_quoted(store.root / 'objects')}]")
            connection.execute("SET enable_external_access = false")
            kinds = [statement.type for statement in connection.extract_statements(query)]
            if kinds != [duckdb.StatementType.SELECT]:
                raise ProjectError("the query is more than a question", expected="one SELECT, since nothing is changed")
            found = connection.execute(query)
            return Answer(tuple(column[0] for column in found.description or ()), found.fetchall())
        except (duckdb.Error, UnicodeEncodeError) as error:
            views = ", ".join([*(name for name, *_ in TABLES), "turns"])
            said = " ".join(str(error).split())
            raise ProjectError(f"the query fails: {said}", expected=f"a query over {views}") from error


def described(store: Store) -> Answer:
    """Every view with its columns and their types."""
    return ask(
        store,
        "SELECT table_name AS view, string_agg(column_name || ' ' || data_type, ', ' ORDER BY column_index) AS columns "
        "FROM duckdb_columns() WHERE NOT internal GROUP BY ALL ORDER BY ALL",
    )


def _current(store: Store, asset: str, table: str, schema: Table) -> Shards | None:
    try:
        artefact = store.find(asset)
        return artefact.shards(table, schema) if artefact else None
    except StoreError:
        return None


def _view(name: str, found: Shards | None, schema: Table) -> str:
    nothing = {column: f'NULL::{_sql_type(dtype)} AS "{column}"' for column, dtype in schema.schema.items()}
    if found is None:
        return f"CREATE VIEW {name} AS SELECT {', '.join(nothing.values())} WHERE false"
    files = ", ".join(_quoted(part) for part in found.parts)
    there = found.lazy_parts()[0].collect_schema()
    columns = (
        f'"{column}"' if column in there or column not in schema.later else nothing[column] for column in nothing
    )
    return f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM read_parquet([{files}])"


def _quoted(part: object) -> str:
    return "'" + str(part).replace("'", "''") + "'"


def _sql_type(dtype: pl.DataType) -> str:
    match dtype:
        case pl.List():
            return f"{_sql_type(dtype.inner)}[]"  # type: ignore[arg-type]
        case pl.Struct():
            return f"STRUCT({', '.join(_fields(dtype))})"
        case pl.Int64():
            return "BIGINT"
        case pl.Float64():
            return "DOUBLE"
        case _:
            return "VARCHAR"


def _fields(dtype: pl.Struct) -> Iterator[str]:
    types = ((field.name, field.dtype() if isinstance(field.dtype, type) else field.dtype) for field in dtype.fields)
    return (f'"{name}" {_sql_type(dtype)}' for name, dtype in types)
