"""Parts of a page as plain values, for both of its renderings: Markdown (`release.markdown`) and HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from safety_assets.records import Verdict

WORDS = {"pass": "passed", "fail": "failed", "not_certified": "not certified"}
"""Status of a verdict to the word that people read."""


@dataclass(frozen=True)
class Grid:
    """A table: names of columns, and rows of plain values."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Part of a page: sentences, tables, a drawing, then text as it is. A drawing stands in HTML alone."""

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Grid] = ()
    text: str | None = None

    @property
    def figure(self) -> str:
        """Title of the drawing that stands in this section, if there is one."""
        return self.title


def word_of(verdict: Verdict | None) -> str:
    """A verdict in a word or two; who waived it where it was waived."""
    if verdict is None:
        return "not judged"
    waived_by = verdict.numbers.get("waived_by")
    return f"waived by {waived_by}" if waived_by else WORDS.get(verdict.status, "not judged")
