"""Files and their lines: which files a path means, and each line with its number."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from safety_assets.corpus.pii import find_pii
from safety_assets.errors import CorpusError

_BOM = b"\xef\xbb\xbf"
_EXCERPT_CHARACTERS = 80


def source_files(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Each JSONL file that the paths mean, with the name it has in tables, every file once.

    Args:
        paths: files, or folders of *.jsonl (searched downwards, in sorted order).

    Raises:
        CorpusError: a path does not exist, or a folder holds no *.jsonl.
    """
    found: dict[Path, str] = {}
    for path in paths:
        for name, file in _files_of(path):
            found.setdefault(file.resolve(), name)
    names = list(found.values())
    return [(name if names.count(name) == 1 else str(file), file) for file, name in found.items()]


def _files_of(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise CorpusError(
            f"{path} does not exist", expected="a *.jsonl file or a folder of them", do="correct the path"
        )
    files = sorted(p for p in path.rglob("*.jsonl") if p.is_file())
    if not files:
        raise CorpusError(f"{path} holds no *.jsonl file", expected="at least one", do="put the rows there as JSONL")
    return [(p.relative_to(path).as_posix(), p) for p in files]


def numbered_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """1-based number and bytes of every line that is not blank, line ends and a leading byte-order mark removed."""
    with file.open("rb") as handle:
        for number, raw in enumerate(handle, 1):
            line = (raw.removeprefix(_BOM) if number == 1 else raw).strip(b" \t\r\n\v\f")
            if line:
                yield number, line


def excerpt(raw: bytes) -> str:
    """The first 80 characters of a line, personal data and digits masked, safe to show and to store."""
    text = raw[: 8 * _EXCERPT_CHARACTERS].decode("utf-8", errors="replace")
    for span in reversed(find_pii(text)):
        text = text[: span.start] + f"[{span.kind.upper()}]" + text[span.end :]
    text = re.sub(r"[^\s@\"]+@[^\s@\"]*", "[EMAIL]", text)
    text = re.sub(r"\d", "#", "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
    return text[:_EXCERPT_CHARACTERS]
