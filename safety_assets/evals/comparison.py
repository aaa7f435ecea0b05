"""Two models on the same items: drops with bounds, categories, what flipped; and how much flips without a cause."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals import cells, statistics
from safety_assets.evals.by_metric import metric_deltas
from safety_assets.evals.deltas import compare
from safety_assets.evals.forgotten import by_category, changes
from safety_assets.evals.score_files import Facts
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.records import SCORES

SATURATED = 9.9
"""Points from which a metric of the base has no room to show that anything was better."""
FLIPS = ("change", "dimension", "metric", "category", "probe_id", "sample", "verdict_before", "verdict_after")
DO = "score both on the same probes with the same judge: safety-assets score"
ALIKE: Mapping[str, str] = {
    "probes_digest": "probes", "max_new_tokens": "length of an answer (max_new_tokens)", "judge_digest": "judge",
}  # fmt: skip
"""Facts in which two sides must agree, and what they are called; one that a side does not know is not compared."""


@dataclass(frozen=True, kw_only=True)
class Flips:
    """Items that changed sides between two runs.

    Args:
        num_items: scored in both.
        num_lost, num_gained: passed before and not after; the other way round.
    """

    num_items: int
    num_lost: int
    num_gained: int

    @property
    def rate(self) -> float | None:
        """Share of the items that changed sides; None without items."""
        return self.num_flips / self.num_items if self.num_items else None

    @property
    def num_flips(self) -> int:
        """Lost and gained."""
        return self.num_lost + self.num_gained

    @property
    def high(self) -> float | None:
        """Upper end of Wilson's 95% interval of the rate; None without items."""
        return statistics.wilson(self.num_flips, self.num_items)[1] if self.num_items else None

    @property
    def told(self) -> dict[str, int | float | None]:
        """All of it, in JSON types."""
        return {**asdict(self), "rate": self.rate, "high": self.high}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The tuned model against its base, item by item.

    Args:
        dimensions: DELTAS of the dimensions that have items.
        metrics: the same of each metric, behind `metric`.
        categories: CATEGORIES, the most significant loss first; p-values are adjusted over all of them.
        flipped: what changed sides, the columns of FLIPS.
        flips: how many.
        null: the same of a second run of the base, or of that part of it which `score` asked twice; None without.
        unscored: per side, reason to number of items.
        uninformative: metrics that the base saturates and on which nothing flipped.
    """

    dimensions: pl.DataFrame
    metrics: pl.DataFrame
    categories: pl.DataFrame
    flipped: pl.DataFrame
    flips: Flips
    null: Flips | None
    unscored: Mapping[str, Mapping[str, int]]
    uninformative: tuple[str, ...]


Side = tuple[pl.DataFrame, Facts]


def compared(base: Side, tuned: Side, null: Side | None = None) -> Comparison:
    """The comparison of two score tables.

    Args:
        base, tuned: SCORES and facts.
        null: the base once more, asked anew: what flips there flips without a cause. By default what the base's facts
            say of the probes that were asked twice.

    Raises:
        EvaluationError: items, judges or lengths of answers differ, a side mixes models, or the null run is of
            another model than the base.
    """
    _demand_alike(base, tuned, "the tuned model")
    pairs = changes(base[0], tuned[0])
    deltas = compare(base[0], tuned[0], DIMENSIONS, {})
    present = pl.col("num_pairs") + pl.col("num_unscored") > 0
    metrics = metric_deltas(base[0], tuned[0])
    return Comparison(
        dimensions=deltas.filter(present),
        metrics=metrics,
        categories=by_category(pairs),
        flipped=_flipped(pairs),
        flips=count_flips(pairs),
        null=_null(base, null),
        unscored={"base": _unscored(base[0]), "tuned": _unscored(tuned[0])},
        uninformative=_uninformative(metrics),
    )


def _demand_alike(base: Side, other: Side, name: str) -> None:
    """EvaluationError unless both sides hold the same items, judged by the same judge, asked in the same way."""
    for side, called in ((base, "the base"), (other, name)):
        cells.one_model(SCORES.check(side[0]), called)
        if side[0].is_empty():
            raise EvaluationError(f"{called} has no scores", do=DO)
    for fact, called in ALIKE.items():
        before, after = (getattr(side[1], fact) for side in (base, other))
        if None not in (before, after) and before != after:
            shown = f"{str(before)[:12]} and {str(after)[:12]}"
            raise EvaluationError(f"base and {name} differ in {called}: {shown}", expected="the same", do=DO)
    judges = [sorted(side[0]["judge"].unique()) for side in (base, other)]
    if judges[0] != judges[1]:
        said = " and ".join(", ".join(own) for own in judges)
        raise EvaluationError(f"base and {name} differ in judge: {said}", expected="the same", do=DO)


def _null(base: Side, null: Side | None) -> Flips | None:
    if null is None:
        return Flips(**base[1].null) if base[1].null else None
    _demand_alike(base, null, "the null run")
    if null[0]["model"][0] != base[0]["model"][0]:
        raise EvaluationError(
            f"the null run is of {null[0]['model'][0][:12]}", expected=f"{base[0]['model'][0][:12]}, the base",
            do="score the base once more with --force, and name that",
        )  # fmt: skip
    return count_flips(changes(base[0], null[0]))


def _flipped(pairs: pl.DataFrame) -> pl.DataFrame:
    found = pairs.filter(pl.col("change").is_not_null()).select(FLIPS)
    return found.sort(["change", *FLIPS[1:6]], descending=[True, *[False] * 5])


def count_flips(pairs: pl.DataFrame) -> Flips:
    """How many items changed sides, of the rows of `forgotten.changes`."""
    lost, gained = (int((pairs["change"] == name).sum()) for name in ("lost", "gained"))
    return Flips(num_items=pairs.height, num_lost=lost, num_gained=gained)


def _unscored(scores: pl.DataFrame) -> dict[str, int]:
    reasons = scores.filter(~cells.usable())["unscored_reason"].fill_null("a value is missing or outside 0 to 1")
    return dict(reasons.value_counts(sort=True).iter_rows())


def _uninformative(metrics: pl.DataFrame) -> tuple[str, ...]:
    silent = (pl.col("baseline") >= SATURATED) & (pl.col("num_lost") + pl.col("num_gained") == 0)
    return tuple(f"{d}: {m}" for d, m in metrics.filter(silent).select("dimension", "metric").iter_rows())
