"""Pieces of a Markdown page: tables, figures and text that cannot break out of its cell."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence

from safety_assets.release.section import Section


def cell(value: object) -> str:
    """A value as text for a table cell or a sentence: escaped, on one line; "-" when there is none."""
    if value is None or value == "":
        return "-"
    return html.escape(" ".join(str(value).split()), quote=False).replace("|", "&#124;").replace("`", "&#96;")


def points(value: object, digits: int = 2) -> str:
    """A number with fixed digits; "unscored" when it is missing or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "unscored"
    return f"{value:.{digits}f}"


def percent(value: object) -> str:
    """A share as a percentage; "unscored" when it is missing or not finite."""
    return f"{points(100 * value, 1)}%" if isinstance(value, int | float) and math.isfinite(value) else "unscored"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; cells must be safe already (see `cell`)."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return lines + [f"| {' | '.join(str(value) for value in row)} |" for row in rows]


def section_lines(section: Section | None) -> list[str]:
    """A section that has no text of its own: heading, sentences, tables, each with an empty line behind it."""
    if section is None:
        return []
    grids = [[*table(g.columns, [tuple(map(cell, row)) for row in g.rows]), ""] for g in section.tables]
    said = [line for sentence in section.sentences for line in (cell(sentence), "")]
    return [f"## {cell(section.title)}", "", *said, *(line for lines in grids for line in lines)]


def digest_table(digests: Mapping[str, str]) -> list[str]:
    """Names and digests, sorted by name."""
    return table(("what", "digest"), [(cell(name), f"`{cell(d)}`") for name, d in sorted(digests.items())])


def bullets(sentences: Iterable[str]) -> list[str]:
    """A list of sentences."""
    return [f"- {cell(sentence)}" for sentence in sentences]


def tier(lower: object) -> str:
    """RAIL tier of the lower bound of a score, points on the 0-10 scale; "unscored" when there is none."""
    if isinstance(lower, bool) or not isinstance(lower, int | float) or not math.isfinite(lower):
        return "unscored"
    for limit, name in ((3, "Critical"), (5, "Poor"), (7, "Needs improvement"), (9, "Good")):
        if lower < limit:
            return name
    return "Excellent"
