"""One record as it stands in a file, and the part of it that may be shown."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from safety_assets.corpus.personal.find import find_pii
from safety_assets.corpus.personal.spans import PLACEHOLDERS
from safety_assets.errors import CorpusError

_EXCERPT_CHARACTERS = 80


@dataclass(frozen=True)
class Entry:
    """One record of a file.

    Args:
        line: 1-based line on which it begins in a text file; 1-based row in a JSON array or a table.
        content: its columns, or what is wrong with it.
        seen: the bytes, text or value that an excerpt is taken from.
    """

    line: int
    content: Mapping[str, object] | CorpusError
    seen: object


def excerpt(seen: object) -> str:
    """The first 80 characters of what stands there, personal data and digits masked, safe to show and to store."""
    text = _text(seen)[: 8 * _EXCERPT_CHARACTERS]
    for span in reversed(find_pii(text)):
        text = text[: span.start] + PLACEHOLDERS[span.kind] + text[span.end :]
    text = re.sub(r"[^\s@\"]+@[^\s@\"]*", "[EMAIL]", text)
    text = re.sub(r"\d", "#", "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
    return text[:_EXCERPT_CHARACTERS]


def _text(seen: object) -> str:
    if isinstance(seen, bytes):
        return seen[: 8 * _EXCERPT_CHARACTERS].decode("utf-8", errors="replace")
    return seen if isinstance(seen, str) else json.dumps(seen, ensure_ascii=False, default=str)
