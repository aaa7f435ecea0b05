"""Chat rows as given: every line becomes a row or a quarantined line with its reason, none is lost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from safety_assets.corpus.chats import Copies, chat_of, default_group, parse_line, text_field
from safety_assets.corpus.lines import excerpt, numbered_lines, source_files
from safety_assets.errors import CorpusError
from safety_assets.records import QUARANTINE, ROWS


@dataclass(frozen=True)
class Ingested:
    """What a corpus gave.

    Args:
        rows: ROWS, in the order of files and lines.
        quarantine: QUARANTINE; rows and quarantine together are all lines that are not blank.
    """

    rows: pl.DataFrame
    quarantine: pl.DataFrame


Record = dict[str, object]


def read_rows(paths: Sequence[Path]) -> Ingested:
    """Read JSONL chat rows: `messages`, and optionally `group` or `conversation_id`.

    A blank line is no line. Rows without a group share one with all rows whose first user turn has the same words.

    Args:
        paths: files, or folders of *.jsonl.

    Raises:
        CorpusError: a path is missing or not a single row is readable.
    """
    copies = Copies()

    def row(source: str, line: int, raw: bytes) -> Record:
        value = parse_line(raw)
        chat = chat_of(value, ends_with="assistant")
        group = _group(value) or default_group(chat)
        return {"row_id": copies.name(chat), "messages": chat, "source": source, "line": line, "group": group}

    rows, quarantine = read_each(paths, row)
    if not rows:
        raise CorpusError(_nothing(paths, quarantine), expected="at least one chat row", do="mend the file named above")
    return Ingested(ROWS.frame(rows), QUARANTINE.frame(quarantine))


def read_each(paths: Sequence[Path], row: Callable[[str, int, bytes], Record]) -> tuple[list[Record], list[Record]]:
    """Apply `row(source, line, bytes)` to every line; a CorpusError it raises becomes a quarantined line."""
    rows: list[Record] = []
    quarantine: list[Record] = []
    for source, file in source_files(paths):
        for line, raw in numbered_lines(file):
            try:
                rows.append(row(source, line, raw))
            except CorpusError as fault:
                seen = {"source": source, "line": line, "reason": str(fault), "excerpt": excerpt(raw)}
                quarantine.append(seen)
    return rows, quarantine


def _group(value: Mapping[str, object]) -> str | None:
    """The group that a line names: text or a whole number; None when it names none."""
    key = next((k for k in ("group", "conversation_id") if value.get(k) is not None), None)
    if key is None:
        return None
    named = value[key]
    if isinstance(named, int) and not isinstance(named, bool):
        return str(named)
    return text_field(value, key)


def _nothing(paths: Sequence[Path], quarantine: Sequence[Record]) -> str:
    where = ", ".join(map(str, paths)) or "no path"
    if not quarantine:
        return f"{where} holds no row"
    first = quarantine[0]
    return (
        f"none of {len(quarantine)} lines in {where} is readable; {first['source']}:{first['line']}: {first['reason']}"
    )
