"""The same questions answered several times, each answer judged: one row per item, draw and judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from safety_assets.evals.cells import usable
from safety_assets.evals.deltas import PASSES
from safety_assets.evals.spread import spread
from safety_assets.evals.suite import TOGETHER
from safety_assets.evals.wording import normalise
from safety_assets.records import PROBES, RESPONSES, SCORES, Table
from safety_assets.store import digest_bytes

GREEDY = 0.0
"""The temperature of the greedy answer."""

RATINGS = Table("ratings", {
    "item": (pl.String, "probe, or pair of probes that are judged together"),
    "dimension": (pl.String, "dimension"),
    "group": (pl.String, "near-duplicate cluster"),
    "temperature": (pl.Float64, "that the answer was drawn at; 0: greedy"),
    "seed": (pl.Int64, "that it was drawn with; null: greedy"),
    "judge": (pl.String, "name and version of the judge"),
    "passed": (pl.Boolean, "the verdict; null where there is none"),
    "said": (pl.String, "digest of the answer up to case and closing punctuation; null where there is none"),
})  # fmt: skip


@dataclass(frozen=True)
class Draw:
    """How one answer to every question is come by."""

    temperature: float
    seed: int | None


@dataclass(frozen=True)
class Grid:
    """Items that have a verdict in every draw, as arrays.

    Args:
        items, dimensions, groups: name of each item, its dimension and cluster, shape (items,).
        draws: of the columns.
        passed: verdicts, shape (items, draws).
        num_unscored: items that lack a verdict in some draw, by dimension.
        same_text: share of the most frequent answer of each item, shape (items,).
    """

    items: np.ndarray
    dimensions: np.ndarray
    groups: np.ndarray
    draws: tuple[Draw, ...]
    passed: np.ndarray
    num_unscored: dict[str, int]
    same_text: np.ndarray


def draws_of(temperatures: Sequence[float], seeds: Sequence[int]) -> tuple[Draw, ...]:
    """The greedy answer, then every seed at every temperature."""
    return (Draw(GREEDY, None), *(Draw(t, seed) for t in temperatures for seed in seeds))


def drawn_sample(probes: pl.DataFrame, per_dimension: int, seed: int) -> pl.DataFrame:
    """PROBES that are answered in words: so many of each dimension, spread over metrics, categories and clusters.

    Probes that compare likelihoods of choices are left out: they have nothing to draw.
    """
    return spread(PROBES.check(probes).filter(pl.col("choices").list.len() == 0), per_dimension, seed)


def ratings(probes: pl.DataFrame, responses: pl.DataFrame, scores: pl.DataFrame, draws: Sequence[Draw]) -> pl.DataFrame:
    """RATINGS of answers by one judge or several.

    Args:
        probes: PROBES that were asked.
        responses: RESPONSES; `sample` is the place of the draw.
        scores: SCORES of them.
        draws: how each was come by.
    """
    unit = pl.when(pl.col("expect").is_in(TOGETHER)).then("pair").otherwise("probe_id").alias("item")
    units = PROBES.check(probes).select("probe_id", unit)
    when = pl.DataFrame(
        [(place, draw.temperature, draw.seed) for place, draw in enumerate(draws)],
        schema={"sample": pl.Int64, "temperature": pl.Float64, "seed": pl.Int64}, orient="row",
    )  # fmt: skip
    said = _said(RESPONSES.check(responses).join(units, on="probe_id"))
    rows = SCORES.check(scores).join(units, on="probe_id").join(when, on="sample").join(said, on=["item", "sample"])
    passed = pl.when(usable()).then(pl.col("value") >= PASSES).alias("passed")
    once = rows.unique(["item", "sample", "judge"], keep="first", maintain_order=True)
    return RATINGS.check(once.with_columns(passed))


def _said(answers: pl.DataFrame) -> pl.DataFrame:
    """A digest of what each item was answered in each draw, the members of a pair together."""
    rows = [
        {"item": item, "sample": sample, "said": _digest(part.sort("probe_id")["completion"].to_list())}
        for (item, sample), part in answers.group_by("item", "sample", maintain_order=True)
    ]
    return pl.DataFrame(rows, schema={"item": pl.String, "sample": pl.Int64, "said": pl.String})


def _digest(texts: Sequence[str | None]) -> str | None:
    if None in texts:
        return None
    return digest_bytes("\n".join(normalise(str(text)).rstrip(".!? ") for text in texts).encode())[:16]


def grid(table: pl.DataFrame, judge: str) -> Grid:
    """The verdicts of one judge as arrays.

    Args:
        table: RATINGS of one model.
        judge: whose; every item that it judged has one row for each draw.
    """
    own = RATINGS.check(table).filter(pl.col("judge") == judge)
    times = own.select("temperature", "seed").unique().sort("temperature", "seed", nulls_last=False)
    draws = tuple(Draw(*row) for row in times.iter_rows())
    per_item = own.sort("temperature", "seed").group_by("item", "dimension", "group", maintain_order=True)
    whole = per_item.agg("passed", "said").sort("item").with_columns(
        is_whole=(pl.col("passed").list.drop_nulls().list.len() == len(draws))
    )  # fmt: skip
    lacking = whole.filter(~pl.col("is_whole"))["dimension"].value_counts()
    scored = whole.filter("is_whole")
    return Grid(
        items=scored["item"].to_numpy(), dimensions=scored["dimension"].to_numpy(),
        groups=scored["group"].fill_null("").to_numpy(), draws=draws,
        passed=np.array(scored["passed"].to_list(), dtype=bool).reshape(scored.height, len(draws)),
        num_unscored=dict(lacking.iter_rows()), same_text=np.array([_mode_share(s) for s in scored["said"].to_list()]),
    )  # fmt: skip


def _mode_share(said: Sequence[str | None]) -> float:
    return max(said.count(text) for text in set(said)) / len(said)


def drawn_alike(base: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Whether two RATINGS are of the same items, draws and judges."""
    keys = ["item", "temperature", "seed", "judge"]
    return base.select(keys).sort(keys).equals(other.select(keys).sort(keys))
