"""Chat rows as given: every record becomes a row or a quarantined record with its reason, none is lost.

Records are read one by one and handed on in small frames, so that a corpus may be larger than memory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from safety_assets.corpus.chats import chat_id, chat_of, default_group, text_field
from safety_assets.corpus.copies import Copies
from safety_assets.corpus.entries import excerpt
from safety_assets.corpus.given import Given, Record, Tally, records
from safety_assets.datafiles import DataFiles
from safety_assets.errors import CorpusError
from safety_assets.frames import SHARD_ROWS, ShardWriter
from safety_assets.records import QUARANTINE, ROWS, SOURCES, Table

BATCH_RECORDS = 5_000

MakeRow = Callable[[Mapping[str, object]], Record]
"""A record in the one schema to a row; a CorpusError that it raises sets the record aside."""


@dataclass(frozen=True)
class Ingested:
    """What a corpus gave.

    Args:
        rows: ROWS (of pairs: PAIRS), in the order of files and lines.
        quarantine: QUARANTINE; rows and quarantine together are all records that are not blank.
        sources: SOURCES, how each file was read.
    """

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    sources: pl.DataFrame


def read_rows(files: Sequence[DataFiles]) -> Ingested:
    """Read chat rows of any known shape, and optionally `group` or `conversation_id`, into memory.

    A blank line is no record. Rows without a group share one with all rows whose first user turn has the same words.

    Raises:
        CorpusError: a path is missing, a file cannot be read as a whole, a table has no known shape, or not a single
            row is readable.
    """
    tally = Tally()
    read = list(row_batches(files, tally))
    return _together(read, tally)


def write_rows(files: Sequence[DataFiles], folder: Path, *, shard_rows: int = SHARD_ROWS) -> None:
    """Read as `read_rows` does, into the sharded tables `rows` and `quarantine` and the table `sources` of a folder.

    Args:
        shard_rows: rows of a shard.

    Raises:
        CorpusError: as in `read_rows`.
    """
    tally = Tally()
    rows, quarantine = (ShardWriter(folder, table.name, table, shard_rows) for table in (ROWS, QUARANTINE))
    for batch in row_batches(files, tally):
        rows.add(batch.rows)
        quarantine.add(batch.quarantine)
    rows.close()
    quarantine.close()
    SOURCES.frame(tally.sources()).write_parquet(folder / "sources.parquet", compression="zstd")


def count_rows(files: Sequence[DataFiles]) -> tuple[int, int]:
    """Rows that can be read, and records that cannot; CorpusError as in `read_rows`."""
    heights = [(batch.rows.height, batch.quarantine.height) for batch in row_batches(files, Tally())]
    return sum(rows for rows, _ in heights), sum(quarantined for _, quarantined in heights)


def first_rows(files: Sequence[DataFiles], count: int) -> pl.DataFrame:
    """The first readable ROWS of a corpus, without reading much more.

    Raises:
        CorpusError: as `read_rows`, as far as it is read.
    """
    found = ROWS.empty()
    for batch in row_batches(files, Tally()):
        found = pl.concat([found, batch.rows]).head(count)
        if found.height == count:
            break
    return found


@dataclass(frozen=True)
class Batch:
    """Some records: those that became rows, and those set aside."""

    rows: pl.DataFrame
    quarantine: pl.DataFrame


def row_batches(files: Sequence[DataFiles], tally: Tally) -> Iterator[Batch]:
    """ROWS and QUARANTINE of all records, some thousand at a time, in order; CorpusError as in `read_rows`."""
    num_rows, num_quarantined, first = 0, 0, QUARANTINE.empty()
    for batch in read_batches(files, _row, ROWS, tally):
        num_rows += batch.rows.height
        num_quarantined += batch.quarantine.height
        first = batch.quarantine.head(1) if first.is_empty() else first
        yield batch
    if not num_rows:
        found = _nothing(files, num_quarantined, first)
        raise CorpusError(found, expected="at least one row", do="mend the file named above")


def read_batches(files: Sequence[DataFiles], make_row: MakeRow, table: Table, tally: Tally) -> Iterator[Batch]:
    """Apply `make_row` to every record; copies of one chat are numbered.

    Args:
        table: what the rows are; its row ids are those of chats.
    """
    copies = Copies()
    rows: list[Record] = []
    quarantine: list[Record] = []
    for given in records(files):
        _read_one(given, make_row, rows, quarantine, tally)
        if len(rows) + len(quarantine) == BATCH_RECORDS:
            yield _batch(rows, quarantine, table, copies)
            rows.clear()
            quarantine.clear()
    yield _batch(rows, quarantine, table, copies)


def read_all(files: Sequence[DataFiles], make_row: MakeRow, table: Table) -> Ingested:
    """All batches of a small file in memory, be there rows or none."""
    tally = Tally()
    read = list(read_batches(files, make_row, table, tally))
    return _together(read, tally)


def _together(batches: Sequence[Batch], tally: Tally) -> Ingested:
    rows = pl.concat([batch.rows for batch in batches])
    return Ingested(rows, pl.concat([batch.quarantine for batch in batches]), SOURCES.frame(tally.sources()))


def _read_one(given: Given, make_row: MakeRow, rows: list[Record], quarantine: list[Record], tally: Tally) -> None:
    try:
        if isinstance(given.content, CorpusError):
            raise given.content
        rows.append({**make_row(given.content), "source": given.source, "line": given.line})
        tally.count(given, readable=True)
    except CorpusError as fault:
        seen = {"line": given.line, "reason": str(fault), "excerpt": excerpt(given.seen)}
        quarantine.append({"source": given.source, **seen})
        tally.count(given, readable=False)


def _batch(rows: list[Record], quarantine: list[Record], table: Table, copies: Copies) -> Batch:
    frame = table.frame(rows)
    numbered = pl.Series("row_id", copies.number(frame["row_id"].to_list()), dtype=pl.String)
    return Batch(frame.with_columns(numbered), QUARANTINE.frame(quarantine))


def _row(record: Mapping[str, object]) -> Record:
    chat = chat_of(record["messages"], ends_with="assistant")
    return {"row_id": chat_id(chat), "messages": chat, "group": _group(record) or default_group(chat)}


def _group(value: Mapping[str, object]) -> str | None:
    """The group that a record names: text or a whole number; None when it names none."""
    key = next((k for k in ("group", "conversation_id") if value.get(k) is not None), None)
    if key is None:
        return None
    named = value[key]
    if isinstance(named, int) and not isinstance(named, bool):
        return str(named)
    return text_field(value, key)


def _nothing(files: Sequence[DataFiles], num_quarantined: int, quarantine: pl.DataFrame) -> str:
    where = ", ".join(str(part.path) for part in files) or "no path"
    if not num_quarantined:
        return f"{where} holds no row"
    first = quarantine.row(0, named=True)
    what = f"none of {num_quarantined} records in {where} is readable"
    return f"{what}; {first['source']}:{first['line']}: {first['reason']}"
