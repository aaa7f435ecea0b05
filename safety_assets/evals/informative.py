"""Which suites could not have shown a loss: the base has all of it, and plain fine-tuning changes nothing.

A suite is one metric of a dimension in one slice, and within it each category. Where the base passes everything and the
candidate that has no protection keeps everything, a protected candidate cannot do better, and that it keeps it too says
nothing. Probes that are harder, or another plain recipe, would tell.
"""

from collections.abc import Iterator

import polars as pl

from safety_assets.evals import statistics
from safety_assets.evals.deltas import flips, pair
from safety_assets.records import SCORES, Table

SATURATED = 0.99
"""Share that the base must have for its suite to have no room above."""
ALL = ""
"""Category of the row about a whole suite."""
SUITE = ("dimension", "metric", "slice", "category")

INFORMATIVE = Table("informative", {
    "dimension": (pl.String, "dimension"),
    "metric": (pl.String, "metric"),
    "slice": (pl.String, "slice"),
    "category": (pl.String, "category, of published prompts the suite; empty: all of the metric"),
    "num_items": (pl.Int64, "items scored on both sides"),
    "num_groups": (pl.Int64, "near-duplicate groups among them"),
    "base": (pl.Float64, "mean value of the base, 0..1"),
    "num_lost": (pl.Int64, "items that the base passes and plain fine-tuning fails"),
    "num_gained": (pl.Int64, "the other way round"),
    "unseen": (pl.Float64, "largest share of losses that so many groups miss in one of twenty cases"),
    "informative": (pl.Boolean, "the base is not saturated, or something flipped"),
})  # fmt: skip


def informative(base: pl.DataFrame, plain: pl.DataFrame) -> pl.DataFrame:
    """What each suite showed of plain fine-tuning.

    Args:
        base: SCORES of the base.
        plain: SCORES of the candidate that was tuned without any protection, on the same items by the same judges.

    Returns:
        INFORMATIVE, a row for each suite with scored items and one for each of its categories.

    Raises:
        EvaluationError: the two sides do not hold the same items.
    """
    lost, gained = flips()
    pairs = _pairs(SCORES.check(base), SCORES.check(plain)).filter("is_scored")
    marked = pairs.with_columns(lost=lost, gained=gained)
    figures = (
        pl.len().cast(pl.Int64).alias("num_items"), pl.col("group").n_unique().cast(pl.Int64).alias("num_groups"),
        pl.col("before").mean().alias("base"), pl.col("lost").sum().cast(pl.Int64).alias("num_lost"),
        pl.col("gained").sum().cast(pl.Int64).alias("num_gained"),
    )  # fmt: skip
    whole = marked.with_columns(category=pl.lit(ALL))
    rows = pl.concat([whole, marked]).group_by(SUITE).agg(figures).sort(SUITE)
    return INFORMATIVE.frame([_judged(row) for row in rows.iter_rows(named=True)])


def _pairs(base: pl.DataFrame, plain: pl.DataFrame) -> pl.DataFrame:
    """All items of both sides with their slice, whatever it is: `deltas.pair` looks at what it is given."""
    sliced = base.select("probe_id", "sample", "judge", pl.col("slice").fill_null("seen"), "dimension").unique()
    keys = ["probe_id", "sample", "judge"]
    parts = [pair(base.filter(dimension=n), plain.filter(dimension=n)) for n in base["dimension"].unique().sort()]
    return pl.concat(parts).join(sliced, on=keys, how="left") if parts else pair(base, plain)


def _judged(row: dict) -> dict[str, object]:
    silent = row["base"] >= SATURATED and row["num_lost"] + row["num_gained"] == 0
    return {**row, "unseen": statistics.unseen_rate(row["num_groups"]), "informative": not silent}


def saturated(scores: pl.DataFrame) -> pl.DataFrame:
    """Suites that the base passes whole: whether they tell anything depends on whether tuning loses them.

    Args:
        scores: SCORES of the base.

    Returns:
        Columns dimension, metric, slice, num_items, base (mean value).
    """
    scored = SCORES.check(scores).filter(pl.col("value").is_not_null())
    suite = ("dimension", "metric", "slice")
    found = scored.with_columns(pl.col("slice").fill_null("seen")).group_by(suite)
    means = found.agg(num_items=pl.len().cast(pl.Int64), base=pl.col("value").mean()).sort(suite)
    return means.filter(pl.col("base") >= SATURATED)


def in_sentences(table: pl.DataFrame) -> Iterator[str]:
    """One sentence for each suite of INFORMATIVE that says nothing."""
    silent = table.filter(~pl.col("informative") & (pl.col("category") == ALL))
    for row in silent.iter_rows(named=True):
        yield (
            f"{row['dimension']}, {row['metric']} ({row['slice']}) is uninformative: the base has {row['base']:.1%} of "
            f"{row['num_items']} items and plain fine-tuning flips none; losses under {row['unseen']:.1%} would not "
            "have shown. Add harder probes."
        )
