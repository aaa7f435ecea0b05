"""The page of forgotten behaviours in Markdown: categories first, then folded examples."""

import html
from collections.abc import Iterator

import polars as pl

from safety_assets.evals.forgotten import Forgotten

MAX_CATEGORIES = 12
NUM_EXAMPLES = 3


def page(found: Forgotten, title: str = "What was forgotten", *, corpus_known: bool = True) -> str:
    """Markdown with a table of categories and, folded with <details>, up to three examples for each that lost items.

    All model and prompt text is escaped. Harmful prompts and what was said to them lie behind a fold of their own
    and are named by their category only.

    Args:
        found: what changed sides.
        title: heading of the page.
        corpus_known: the rows that were trained on were searched for causes; else nothing is said of causes.
    """
    lines = [f"# {html.escape(title)}", "", summary(found.categories, corpus_known=corpus_known), ""]
    changed = found.categories.filter((pl.col("num_lost") > 0) | (pl.col("num_gained") > 0))
    if not changed.is_empty():
        lines += [*_table(changed), ""]
    for row in changed.filter(pl.col("num_lost") > 0).head(MAX_CATEGORIES).iter_rows(named=True):
        lines += _category(row, found.items, corpus_known)
    return "\n".join(lines).rstrip() + "\n"


def summary(categories: pl.DataFrame, *, corpus_known: bool = True) -> str:
    """What was lost and gained, in a sentence or two.

    Args:
        categories: counts by category, as in `Forgotten`.
        corpus_known: as in `page`.
    """
    items, lost, gained = (int(categories[f"num_{name}"].sum()) for name in ("items", "lost", "gained"))
    if not lost:
        return f"Nothing was forgotten: none of {items} items was lost, {gained} were gained."
    counts = f"{lost} of {items} items that the baseline passed are lost, {gained} were gained."
    hint = " The nearest corpus rows are where to look first; nearness is no proof of cause."
    return counts + hint if corpus_known else counts


def _table(changed: pl.DataFrame) -> Iterator[str]:
    yield "| dimension | category | items | lost | gained | p | adjusted p |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for row in changed.iter_rows(named=True):
        yield (
            f"| {_cell(row['dimension'])} | {_cell(row['category'])} | {row['num_items']} | {row['num_lost']} "
            f"| {row['num_gained']} | {row['p_value']:.3f} | {row['p_adjusted']:.3f} |"
        )


def _category(row: dict, items: pl.DataFrame, corpus_known: bool) -> Iterator[str]:
    own = items.filter(
        (pl.col("change") == "lost")
        & (pl.col("dimension") == row["dimension"])
        & pl.col("category").eq_missing(pl.lit(row["category"], dtype=pl.String))
    )
    name = f"{_cell(row['dimension'])}, {_cell(row['category'])}"
    yield "<details>"
    yield f"<summary>{name}: {row['num_lost']} lost</summary>"
    yield ""
    for item in own.head(NUM_EXAMPLES).iter_rows(named=True):
        yield from _example(item, corpus_known)
    yield "</details>"
    yield ""


def _example(item: dict, corpus_known: bool) -> Iterator[str]:
    label = "harmful prompt, hidden until opened" if item["sensitive"] else _short(item["prompt"])
    yield "<details>"
    yield f"<summary>{label} ({_cell(item['verdict_before'])} became {_cell(item['verdict_after'])})</summary>"
    yield ""
    for heading, text in (("Prompt", item["prompt"]), ("Baseline", item["before"]), ("Candidate", item["after"])):
        yield f"{heading}:"
        yield ""
        yield f"<pre>{html.escape(text if text is not None else '(no response at hand)')}</pre>"
        yield ""
    if corpus_known:
        causes = zip(item["causes"], item["nearness"], strict=True)
        named = ", ".join(f"`{_cell(row_id)}` ({near:.2f})" for row_id, near in causes)
        yield f"Nearest corpus rows: {named or 'none shares a word with the prompt'}."
        yield ""
    yield "</details>"
    yield ""


def _short(prompt: str) -> str:
    line = prompt.strip().rsplit("\n", 1)[-1].removeprefix("user: ")
    return html.escape(line if len(line) <= 80 else line[:79] + "…")


def _cell(text: str | None) -> str:
    """Text that can stand in a Markdown table cell."""
    return html.escape(" ".join(str(text or "-").split())).replace("|", "&#124;").replace("`", "&#96;")
