"""What the files give: every record with its place, in the one schema or with what is wrong with it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safety_assets.corpus.containers import open_container
from safety_assets.corpus.files import SourceFile, source_files
from safety_assets.corpus.shapes import in_schema, shape_of
from safety_assets.datafiles import DataFiles
from safety_assets.errors import CorpusError

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


def _printable(name: str) -> str:
    return name.encode("utf-8", errors="replace").decode()


def read_as(source: Mapping[str, Any]) -> str:
    """One of SOURCES in words, as in `support.csv: alpaca, 1,200 rows, 3 set aside; not read: id`."""
    aside = f", {source['quarantined']:,} set aside" if source["quarantined"] else ""
    unread = source["not_read"]
    more = f" and {len(unread) - COLUMNS_SHOWN} more" if len(unread) > COLUMNS_SHOWN else ""
    beside = f"; not read: {', '.join(unread[:COLUMNS_SHOWN])}{more}" if unread else ""
    return f"{source['source']}: {source['shape']}, {source['rows']:,} row{'s' * (source['rows'] != 1)}{aside}{beside}"
