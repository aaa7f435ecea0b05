"""Chat rows as given: every record becomes a row or a quarantined record with its reason, none is lost."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from safety_assets.corpus.chats import Copies, chat_of, default_group, text_field
from safety_assets.corpus.containers import open_container
from safety_assets.corpus.entries import excerpt
from safety_assets.corpus.files import SourceFile, source_files
from safety_assets.corpus.shapes import in_schema, shape_of
from safety_assets.datafiles import DataFiles
from safety_assets.errors import CorpusError
from safety_assets.records import QUARANTINE, ROWS, SOURCES

NO_SHAPE = "none"
BESIDE_THE_CHAT = frozenset({"messages", "group", "conversation_id", "kind", "category"})
"""What is used of a record in the one schema."""
COLUMNS_SHOWN = 8

Record = dict[str, object]


@dataclass(frozen=True)
class Given:
    """One record with its place.

    Args:
        source: name of its file.
        line: 1-based line or row.
        shape: the shape it was read as; `none` where none was recognised.
        content: the record in the one schema, or what is wrong with it.
        seen: what an excerpt is taken from.
    """

    source: str
    line: int
    shape: str
    content: Record | CorpusError
    seen: object


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
    """Read chat rows of any known shape, and optionally `group` or `conversation_id`.

    A blank line is no record. Rows without a group share one with all rows whose first user turn has the same words.

    Raises:
        CorpusError: a path is missing, a file cannot be read as a whole, a table has no known shape, or not a single
            row is readable.
    """
    read = read_each(files, _as_row(Copies()))
    if not read.rows:
        raise CorpusError(_nothing(files, read.quarantine), expected="at least one row", do="mend the file named above")
    return Ingested(ROWS.frame(read.rows), QUARANTINE.frame(read.quarantine), SOURCES.frame(read.sources))


def first_rows(files: Sequence[DataFiles], count: int) -> pl.DataFrame:
    """The first readable ROWS of a corpus, without reading the rest.

    Raises:
        CorpusError: as `read_rows`, as far as it is read.
    """
    read = read_each(files, _as_row(Copies()), most=count)
    if not read.rows:
        raise CorpusError(_nothing(files, read.quarantine), expected="at least one row", do="mend the file named above")
    return ROWS.frame(read.rows)


@dataclass(frozen=True)
class Read:
    """Rows that could be made, records that could not, and how each file was read."""

    rows: list[Record]
    quarantine: list[Record]
    sources: list[Record]


def _as_row(copies: Copies) -> Callable[[Mapping[str, object]], Record]:
    """What makes a row, without its place, of a record."""

    def row(record: Mapping[str, object]) -> Record:
        chat = chat_of(record["messages"], ends_with="assistant")
        return {"row_id": copies.name(chat), "messages": chat, "group": _group(record) or default_group(chat)}

    return row


def read_each(
    files: Sequence[DataFiles], row: Callable[[Mapping[str, object]], Record], *, most: int | None = None
) -> Read:
    """Apply `row` to every record in the one schema; a CorpusError that it raises becomes a quarantined record.

    Args:
        most: stop when so many rows could be made; read everything when None.
    """
    rows: list[Record] = []
    quarantine: list[Record] = []
    tally = Tally()
    for given in records(files):
        if len(rows) == most:
            break
        try:
            if isinstance(given.content, CorpusError):
                raise given.content
            rows.append({**row(given.content), "source": given.source, "line": given.line})
            tally.count(given, readable=True)
        except CorpusError as fault:
            seen = {"line": given.line, "reason": str(fault), "excerpt": excerpt(given.seen)}
            quarantine.append({"source": given.source, **seen})
            tally.count(given, readable=False)
    return Read(rows, quarantine, tally.sources())


def read_as(source: Mapping[str, Any]) -> str:
    """One of SOURCES in words, as in `support.csv: alpaca, 1,200 rows, 3 set aside; not read: id`."""
    aside = f", {source['quarantined']:,} set aside" if source["quarantined"] else ""
    unread = source["not_read"]
    more = f" and {len(unread) - COLUMNS_SHOWN} more" if len(unread) > COLUMNS_SHOWN else ""
    beside = f"; not read: {', '.join(unread[:COLUMNS_SHOWN])}{more}" if unread else ""
    return f"{source['source']}: {source['shape']}, {source['rows']:,} row{'s' * (source['rows'] != 1)}{aside}{beside}"


def _printable(name: str) -> str:
    return name.encode("utf-8", errors="replace").decode()


class Tally:
    """Counts how the records of each file were read."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, str]] = Counter()
        self._quarantined: Counter[tuple[str, str]] = Counter()
        self._not_read: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def count(self, given: Given, *, readable: bool) -> None:
        """One more record."""
        read_as = (given.source, given.shape)
        self._rows[read_as] += readable
        self._quarantined[read_as] += not readable
        if not isinstance(given.content, CorpusError):
            self._not_read[read_as] |= {_printable(key) for key in given.content.keys() - BESIDE_THE_CHAT}

    def sources(self) -> list[Record]:
        """SOURCES, in the order in which they were met."""
        return [
            {
                "source": read_as[0], "shape": read_as[1], "rows": count, "quarantined": self._quarantined[read_as],
                "not_read": sorted(self._not_read[read_as]),
            }
            for read_as, count in self._rows.items()
        ]  # fmt: skip


def records(files: Sequence[DataFiles]) -> Iterator[Given]:
    """Every record of all files, one by one.

    Raises:
        CorpusError: a file cannot be read as a whole, or is a table without a known shape.
    """
    for source in source_files(files):
        yield from _records_of(source)


def _records_of(source: SourceFile) -> Iterator[Given]:
    container = open_container(source.path)
    if container.columns:
        _check_table(source, container.columns)
    for entry in container.entries:
        shape, content = NO_SHAPE, entry.content
        if not isinstance(content, CorpusError):
            shape, content = _interpreted(content, source)
        yield Given(source.name, entry.line, shape, content, entry.seen)


def _check_table(source: SourceFile, columns: Sequence[str]) -> None:
    try:
        shape_of(columns, source.columns)
    except CorpusError as fault:
        raise CorpusError(f"{source.path}: {fault.found}", expected=fault.expected, do=fault.do) from fault


def _interpreted(content: Mapping[str, object], source: SourceFile) -> tuple[str, Record | CorpusError]:
    name = NO_SHAPE
    try:
        shape = shape_of(content, source.columns)
        name = shape.name
        return name, in_schema(content, shape, source.columns)
    except CorpusError as fault:
        return name, fault


def _group(value: Mapping[str, object]) -> str | None:
    """The group that a record names: text or a whole number; None when it names none."""
    key = next((k for k in ("group", "conversation_id") if value.get(k) is not None), None)
    if key is None:
        return None
    named = value[key]
    if isinstance(named, int) and not isinstance(named, bool):
        return str(named)
    return text_field(value, key)


def _nothing(files: Sequence[DataFiles], quarantine: Sequence[Record]) -> str:
    where = ", ".join(str(part.path) for part in files) or "no path"
    if not quarantine:
        return f"{where} holds no row"
    first = quarantine[0]
    what = f"none of {len(quarantine)} records in {where} is readable"
    return f"{what}; {first['source']}:{first['line']}: {first['reason']}"
