"""Separated values (CSV, TSV) with a header, in UTF-8; a quoted cell may hold line ends, an empty cell is null.

Python's reader is used because it knows on which line a record begins and goes on after a broken one. Where it gives
up, every line that it had taken is set aside, so that a quote that never closes hides nothing.
"""

import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from safety_assets.corpus.entries import Entry
from safety_assets.errors import CorpusError

_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")
"""What a byte that is not UTF-8 is read as."""


def separated_columns(file: Path) -> tuple[str, ...]:
    """The names in the header; none for an empty file.

    Raises:
        CorpusError: the header is not text in UTF-8 or cannot be parsed.
    """
    with _open(file) as handle:
        first = next(_records(handle, file), None)
    if first is None:
        return ()
    if isinstance(first.content, CorpusError):
        raise CorpusError(
            f"the header of {file} cannot be read: {first.content.found}", expected="column names in UTF-8",
            do="export the file again as CSV in UTF-8",
        )  # fmt: skip
    return tuple(str(name or "") for name in first.content.values())


def read_separated(file: Path) -> Iterator[Entry]:
    """Every record under the header; a record with more or fewer cells is a fault."""
    names = separated_columns(file)
    with _open(file) as handle:
        for number, entry in enumerate(_records(handle, file)):
            if number:
                yield _named(entry, names)


def _open(file: Path) -> TextIO:
    return file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _records(handle: TextIO, file: Path) -> Iterator[Entry]:
    """Records whose columns are called by their position; the lines of a broken one each by itself."""
    csv.field_size_limit(sys.maxsize)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in handle:
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter="\t" if file.suffix.lower() == ".tsv" else ",", strict=True)
    while True:
        first = reader.line_num + 1
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield from _broken(first, taken, error)
            continue
        if cells:
            yield Entry(first, _cells(cells), "".join(taken))


def _cells(cells: Sequence[str]) -> Mapping[str, object] | CorpusError:
    if any(_NOT_UTF8.search(cell) for cell in cells):
        return CorpusError("the record is not UTF-8", expected="text in UTF-8", do="save the file as UTF-8")
    return {str(position): cell or None for position, cell in enumerate(cells)}


def _broken(first: int, lines: Sequence[str], error: csv.Error) -> Iterator[Entry]:
    where = f"line {first}" if len(lines) == 1 else f"lines {first} to {first + len(lines) - 1}"
    fault = CorpusError(f"{where} cannot be parsed: {error}", expected="quotes in pairs", do="mend the quotes")
    for offset, line in enumerate(lines):
        if line.strip("\r\n"):
            yield Entry(first + offset, fault, line)


def _named(entry: Entry, names: Sequence[str]) -> Entry:
    if isinstance(entry.content, CorpusError):
        return entry
    cells = list(entry.content.values())
    if len(cells) != len(names):
        found = f"the record has {len(cells)} cells, the header names {len(names)}"
        fault = CorpusError(found, expected="one cell per column", do="quote cells that hold separators")
        return Entry(entry.line, fault, entry.seen)
    return Entry(entry.line, dict(zip(names, cells, strict=True)), entry.seen)
