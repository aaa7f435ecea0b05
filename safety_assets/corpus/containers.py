"""Containers: a file as its records, one by one, each with its place. Nothing here knows what a chat is."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safety_assets.corpus.entries import Entry
from safety_assets.corpus.files import READABLE
from safety_assets.corpus.jsonfiles import read_json, read_lines
from safety_assets.corpus.separated import read_separated, separated_columns
from safety_assets.corpus.tables import arrow_columns, parquet_columns, read_arrow, read_parquet
from safety_assets.errors import CorpusError


@dataclass(frozen=True)
class Container:
    """An opened file.

    Args:
        columns: the columns of a table; None where every record has keys of its own.
        entries: its records in order. Reading on may raise CorpusError when the file is damaged further down.
    """

    columns: tuple[str, ...] | None
    entries: Iterator[Entry]


def open_container(file: Path) -> Container:
    """A file by its suffix.

    Raises:
        CorpusError: the suffix is unknown, the file is not what it says, or a column stands twice.
    """
    match file.suffix.lower():
        case ".jsonl" | ".ndjson":
            return Container(None, read_lines(file))
        case ".json":
            return Container(None, read_json(file))
        case ".csv" | ".tsv":
            return Container(_unique(separated_columns(file), file), read_separated(file))
        case ".parquet":
            return Container(_unique(parquet_columns(file), file), read_parquet(file))
        case ".arrow":
            return Container(_unique(arrow_columns(file), file), read_arrow(file))
        case suffix:
            found = f"{file} ends with {suffix or 'no suffix'}"
            raise CorpusError(found, expected=READABLE, do="convert the file, or correct its name")


def _unique(columns: tuple[str, ...], file: Path) -> tuple[str, ...]:
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise CorpusError(f"{file} has the column {twice[0]!r} twice", expected="unique columns", do="rename one")
    return columns
