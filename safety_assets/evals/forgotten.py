"""What the base did and the candidate no longer does: items lost and gained, by category, with likely causes.

The likely causes are the corpus rows whose words are nearest to the lost prompt (TF-IDF cosine). Nearness is a hint
where to look, not a proof of cause.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals import statistics
from safety_assets.evals.cells import one_model
from safety_assets.evals.deltas import flips, pair
from safety_assets.evals.neighbours import nearest_in
from safety_assets.frames import Shards, in_shards
from safety_assets.records import AUDITED, PROBES, RESPONSES, SCORES, STRINGS, Table

SENSITIVE = ("refuse", "withhold", "protect")
"""Expectations of probes whose prompt is harmful or asks for personal data: folded away on a page."""

FORGOTTEN = Table("forgotten", {
    "change": (pl.String, "lost: the baseline passed and the candidate fails; gained: the other way round"),
    "dimension": (pl.String, "dimension"),
    "metric": (pl.String, "metric"),
    "category": (pl.String, "category"),
    "probe_id": (pl.String, "probe"),
    "sample": (pl.Int64, "sample index"),
    "sensitive": (pl.Boolean, "the prompt is harmful or personal: show it only when asked"),
    "prompt": (pl.String, "the chat up to the turn to be answered, one line per turn"),
    "before": (pl.String, "what the baseline said; null when its response is not at hand"),
    "after": (pl.String, "what the candidate said"),
    "verdict_before": (pl.String, "verdict on the baseline"),
    "verdict_after": (pl.String, "verdict on the candidate"),
    "causes": (STRINGS, "row ids of the nearest corpus rows, best first; empty for gained items"),
    "nearness": (pl.List(pl.Float64), "cosine of each cause, 0 to 1"),
})  # fmt: skip

CATEGORIES = Table("forgotten_categories", {
    "dimension": (pl.String, "dimension"),
    "category": (pl.String, "category"),
    "num_items": (pl.Int64, "items scored on both sides"),
    "num_lost": (pl.Int64, "items lost"),
    "num_gained": (pl.Int64, "items gained"),
    "p_value": (pl.Float64, "one-sided exact McNemar test that losses outweigh gains"),
    "p_adjusted": (pl.Float64, "the same after Benjamini-Hochberg over all categories"),
    "examples": (STRINGS, "probe ids of up to three lost items"),
})  # fmt: skip


@dataclass(frozen=True)
class Forgotten:
    """Items that changed sides (FORGOTTEN) and counts by category (CATEGORIES, all categories, worst first)."""

    items: pl.DataFrame
    categories: pl.DataFrame


def forgotten(
    baseline: pl.DataFrame,
    candidate: pl.DataFrame,
    probes: pl.DataFrame,
    baseline_responses: pl.DataFrame,
    candidate_responses: pl.DataFrame,
    rows: pl.DataFrame | Shards,
    num_causes: int = 3,
) -> Forgotten:
    """Every item that changed sides, by dimension and category.

    Args:
        baseline, candidate: SCORES of the two models on the same probes.
        probes: PROBES, for the prompts.
        baseline_responses, candidate_responses: RESPONSES, for the completions.
        rows: AUDITED; its training rows of origin corpus are searched for likely causes.
        num_causes: rows named for each lost item.

    Raises:
        EvaluationError: the two sides do not hold the same items, or mix models.
    """
    baseline, candidate = SCORES.check(baseline), SCORES.check(candidate)
    one_model(baseline, "the baseline")
    one_model(candidate, "the candidate")
    pairs = changes(baseline, candidate)
    changed = pairs.filter(pl.col("change").is_not_null()).select(pl.exclude("before", "after"))
    items = _with_texts(changed, PROBES.check(probes), baseline_responses, candidate_responses)
    items = _with_causes(items, in_shards(rows, AUDITED), num_causes)
    return Forgotten(FORGOTTEN.check(items), by_category(pairs))


def changes(baseline: pl.DataFrame, candidate: pl.DataFrame) -> pl.DataFrame:
    """Items scored on both sides: the columns of `deltas.pair`, the dimension, and `change` (lost, gained or null).

    Raises:
        EvaluationError: the two sides do not hold the same items.
    """
    names = sorted(set(baseline["dimension"]) | set(candidate["dimension"]))
    if not names:
        raise EvaluationError("there are no scores to compare", do="score baseline and candidate first")
    parts = []
    for name in names:
        own = pl.col("dimension") == name
        parts.append(pair(baseline.filter(own), candidate.filter(own)).with_columns(dimension=pl.lit(name)))
    lost, gained = flips()
    change = pl.when(lost).then(pl.lit("lost")).when(gained).then(pl.lit("gained"))
    return pl.concat(parts).filter("is_scored").with_columns(change=change)


def by_category(pairs: pl.DataFrame) -> pl.DataFrame:
    """CATEGORIES of what `changes` gives, the most significant first."""
    lost, gained = pl.col("change") == "lost", pl.col("change") == "gained"
    table = pairs.group_by("dimension", "category").agg(
        num_items=pl.len().cast(pl.Int64),
        num_lost=lost.sum().cast(pl.Int64),
        num_gained=gained.sum().cast(pl.Int64),
        examples=pl.col("probe_id").filter(lost).unique(maintain_order=True).head(3),
    )
    counts = table.select("num_lost", "num_gained").iter_rows()
    p_values = np.array([statistics.mcnemar(*count) for count in counts], dtype=float)
    table = table.with_columns(
        p_value=pl.Series(p_values, dtype=pl.Float64),
        p_adjusted=pl.Series(statistics.benjamini_hochberg(p_values), dtype=pl.Float64),
    )
    table = table.sort(["p_value", "num_lost", "dimension", "category"], descending=[False, True, False, False])
    return CATEGORIES.check(table)


def _with_texts(changed: pl.DataFrame, probes: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    expects = probes.select(
        "probe_id",
        sensitive=pl.col("expect").is_in(SENSITIVE),
        prompt=pl.Series(list(_prompts(probes)), dtype=pl.String),
        asked=pl.Series(list(_asked(probes)), dtype=pl.String),
    ).unique("probe_id", maintain_order=True)
    items = changed.join(expects, on="probe_id", how="left", maintain_order="left")
    for name, responses in (("before", before), ("after", after)):
        said = RESPONSES.check(responses).select("probe_id", "sample", pl.col("completion").alias(name))
        said = said.unique(["probe_id", "sample"], keep="first", maintain_order=True)
        items = items.join(said, on=["probe_id", "sample"], how="left", maintain_order="left")
    # A probe that is not at hand is treated as sensitive: nothing is shown that was not checked.
    items = items.with_columns(pl.col("sensitive").fill_null(True), pl.col("prompt", "asked").fill_null(""))
    return items.sort(["change", "dimension", "category", "probe_id", "sample"], descending=[True] + [False] * 4)


def _prompts(probes: pl.DataFrame) -> Iterator[str]:
    for messages in probes["messages"].to_list():
        yield "\n".join(f"{turn['role']}: {turn['content']}" for turn in messages or [])


def _asked(probes: pl.DataFrame) -> Iterator[str]:
    """The last turn of each probe: what was asked."""
    for messages in probes["messages"].to_list():
        yield messages[-1]["content"] if messages else ""


def _with_causes(items: pl.DataFrame, rows: Shards, num: int) -> pl.DataFrame:
    """The last turn of each lost prompt against whole training rows of the corpus."""
    is_lost = (items["change"] == "lost").to_list()
    asked = [text for text, wanted in zip(items["asked"].to_list(), is_lost, strict=True) if wanted]
    found = iter(nearest_in(asked, lambda: map(_documents, _trained(rows)), num))
    causes = [next(found) if wanted else [] for wanted in is_lost]
    ids = _ids(rows, {i for best in causes for i, _ in best})
    return items.with_columns(
        causes=pl.Series([[ids[i] for i, _ in best] for best in causes], dtype=STRINGS),
        nearness=pl.Series([[cosine for _, cosine in best] for best in causes], dtype=pl.List(pl.Float64)),
    )


def _trained(rows: Shards) -> Iterator[pl.DataFrame]:
    """The training rows of the corpus, shard by shard."""
    return (part.filter((pl.col("origin") == "corpus") & (pl.col("split") == "train")) for part in rows)


def _documents(rows: pl.DataFrame) -> list[str]:
    return ["\n".join(t["content"] for t in chat if t["role"] != "system") for chat in rows["messages"].to_list()]


def _ids(rows: Shards, wanted: set[int]) -> dict[int, str]:
    """Place among the training rows to row id."""
    if not wanted:
        return {}
    trained = rows.lazy().filter((pl.col("origin") == "corpus") & (pl.col("split") == "train"))
    named = trained.select("row_id").with_row_index().filter(pl.col("index").is_in(list(wanted)))
    return dict(named.collect().iter_rows())
