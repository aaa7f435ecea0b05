"""The evidence page of a decision: one HTML file for an auditor, whole in itself, to be read, printed and kept.

Everything that is put into it is escaped, text of models and prompts above all; it holds no script, and its own
policy forbids the browser to run or to load any.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from safety_assets.policy import Policy
from safety_assets.release.apart_page import apart_section
from safety_assets.release.decision import Decision
from safety_assets.release.evidence import (
    COLUMNS,
    SCALE,
    dimension_rows,
    figures_of,
    headline_text,
    null_said,
    other_verdicts,
)
from safety_assets.release.markdown import points
from safety_assets.release.section import Section, word_of

TEMPLATE = Path(__file__).with_name("evidence.html")
MOST_CATEGORIES, MOST_EXAMPLES, SHORT = 12, 3, 80
"""Categories with examples, examples of each, characters of a prompt that stand in its headline."""

UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that no HTML document may hold, and that models say: each stands as U+FFFD."""

ALWAYS = (
    "The scores are of the probes' language, topics and form; behaviour on others was not measured.",
    "Answers were decoded greedily; sampling can show behaviour that greedy decoding does not.",
    "Judges are rules with errors of their own; the intervals do not hold those errors.",
)
"""Limits of every decision's evidence."""


@dataclass(frozen=True)
class Drawing:
    """A figure: the title of its section (`scores` for that of the dimensions), its SVG, and it in words."""

    title: str
    svg: str
    says: str

    @property
    def address(self) -> str:
        """The image in its own address: nothing in it can reach the page."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode()}"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What stands on the page beside the decision.

    Args:
        mask: takes a text of a model or a prompt and gives it without personal data; what is shown goes through it.
        items, categories: FORGOTTEN, and counts by category; None where they are not at hand.
        forgotten_said: both in a sentence or two.
        null: `num_flips` and `num_items` of the base asked twice; empty where that is not known.
        sections: corpus, share, training and what else there is.
        drawings: figures.
        limits: further sentences on what the evidence does not show.
    """

    project: str
    deltas: pl.DataFrame
    policy: Policy
    mask: Callable[[str], str]
    items: pl.DataFrame | None = None
    categories: pl.DataFrame | None = None
    forgotten_said: str = ""
    null: Mapping[str, object] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    drawings: Sequence[Drawing] = ()
    limits: Sequence[str] = field(default=())


def html_page(decision: Decision, shown: Shown) -> str:
    """The page as one HTML document that needs nothing else.

    Args:
        decision: what was decided.
        shown: what it rests on.
    """
    page: str = _environment().from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        project=shown.project,
        decision=decision,
        headline=headline_text(decision),
        columns=COLUMNS,
        scale=SCALE,
        dimensions=dimension_rows(decision, shown.deltas, shown.policy),
        null=null_said(shown.null) if shown.null else "",
        apart=apart_section(decision.verdicts),
        others=[
            {"name": v.check, "status": v.status, "verdict": word_of(v), "figures": figures_of(v), "reasons": v.reasons}
            for v in other_verdicts(decision)
        ],
        waivers=[(w["check"], w["who"], w["until"]) for w in decision.waivers],
        forgotten=_forgotten(shown),
        sections=shown.sections,
        figures=shown.drawings,
        limits=[*ALWAYS, *shown.limits],
        digests=sorted({**decision.digests, "decision": decision.digest}.items()),
    )  # fmt: skip
    return UNFIT.sub("\ufffd", page)


def told(value: Mapping[str, object]) -> str:
    """Settings as indented JSON, for a section's text."""
    return json.dumps(value, indent=2, sort_keys=True, default=str, ensure_ascii=False)


def _environment() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["said"] = _said
    return environment


def _said(value: object) -> str:
    """A value of a table in words."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "not finite"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _forgotten(shown: Shown) -> dict[str, object] | None:
    items, categories = shown.items, shown.categories
    if items is None or categories is None:
        return None
    changed = categories.filter((pl.col("num_lost") > 0) | (pl.col("num_gained") > 0))
    table = changed.select("dimension", "category", "num_items", "num_lost", "num_gained", "p_value", "p_adjusted")
    worst = changed.filter(pl.col("num_lost") > 0).head(MOST_CATEGORIES)
    return {
        "said": shown.forgotten_said, "categories": table.rows(),
        "examples": [_group(row, items, shown.mask) for row in worst.iter_rows(named=True)],
    }  # fmt: skip


def _group(row: Mapping[str, Any], items: pl.DataFrame, mask: Callable[[str], str]) -> dict[str, object]:
    own = items.filter(
        (pl.col("change") == "lost")
        & (pl.col("dimension") == row["dimension"])
        & pl.col("category").eq_missing(pl.lit(row["category"], dtype=pl.String))
    )
    examples = [_example(item, mask) for item in own.head(MOST_EXAMPLES).iter_rows(named=True)]
    return {"name": f"{row['dimension']}, {row['category'] or '-'}", "lost": row["num_lost"], "examples": examples}


def _example(item: Mapping[str, Any], mask: Callable[[str], str]) -> dict[str, object]:
    given = {name: item[name] for name in ("prompt", "before", "after")}
    texts = {name: mask(text) if text is not None else "(not at hand)" for name, text in given.items()}
    line = texts["prompt"].strip().rsplit("\n", 1)[-1].removeprefix("user: ")
    causes = zip(item["causes"], item["nearness"], strict=True)
    return {
        **texts,
        "sensitive": item["sensitive"],
        "short": line if len(line) <= SHORT else f"{line[: SHORT - 1]}…",
        "verdict_before": item["verdict_before"] or "-",
        "verdict_after": item["verdict_after"] or "-",
        "causes": ", ".join(f"{row_id} ({points(near)})" for row_id, near in causes),
    }
