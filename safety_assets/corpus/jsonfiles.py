"""JSON: one object per line, or an array of objects."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from safety_assets.corpus.entries import Entry
from safety_assets.corpus.jsonstream import array_items, whole_value
from safety_assets.errors import CorpusError

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n\v\f"
_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


def kind(value: object) -> str:
    """What a parsed value is, in words."""
    return _NAMES.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")


def read_lines(file: Path) -> Iterator[Entry]:
    """The object of every line that is not blank."""
    for number, raw in numbered_lines(file):
        try:
            yield Entry(number, parse_line(raw), raw)
        except CorpusError as fault:
            yield Entry(number, fault, raw)


def read_json(file: Path) -> Iterator[Entry]:
    """The objects of an array, or the one object that the file is; anything else is read line by line.

    An array is read item by item, so that it may be larger than memory.

    Raises:
        CorpusError: the file begins as an array and is not JSON in UTF-8. Items before the fault are given first.
    """
    first = next(numbered_lines(file), (0, b""))[1]
    if not first.startswith(b"["):
        yield from _object_or_lines(file)
        return
    try:
        with _open(file) as handle:
            yield from (_item(number, value) for number, value in enumerate(array_items(handle), 1))
    except (ValueError, RecursionError) as error:
        raise CorpusError(
            f"{file} is not JSON: {error}", expected="an array of objects in UTF-8", do="export the file again"
        ) from error


def _object_or_lines(file: Path) -> Iterator[Entry]:
    try:
        with _open(file) as handle:
            whole = whole_value(handle)
    except (ValueError, RecursionError):
        yield from read_lines(file)
    else:
        yield _item(1, whole)


def _open(file: Path) -> TextIO:
    return file.open(encoding="utf-8-sig", newline="")


def _item(number: int, value: object) -> Entry:
    if isinstance(value, dict):
        return Entry(number, value, value)
    fault = CorpusError(f"the record is {kind(value)}", expected="an object", do="wrap it in one")
    return Entry(number, fault, value)


def numbered_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """1-based number and bytes of every line that is not blank, line ends and a leading byte-order mark removed."""
    with file.open("rb") as handle:
        for number, raw in enumerate(handle, 1):
            line = (raw.removeprefix(_BOM) if number == 1 else raw).strip(_BLANK)
            if line:
                yield number, line


def parse_line(raw: bytes) -> dict[str, object]:
    """The object on one line.

    Raises:
        CorpusError: the bytes are not UTF-8, hold NUL, are not JSON, or are JSON but no object.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} of the line is not UTF-8"
        raise CorpusError(found, expected="text in UTF-8", do="save the file as UTF-8") from error
    if "\0" in text:
        raise CorpusError("the line holds a NUL byte", expected="plain text", do="remove it; the file may be damaged")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos + 1}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        found = f"the line is not JSON{where}"
        raise CorpusError(
            found, expected="one JSON object per line", do="write one complete object per line"
        ) from error
    if not isinstance(value, dict):
        raise CorpusError(f"the line is {kind(value)}", expected="an object", do="wrap it in one")
    return value
