"""Slices that are gated apart: which probes are asked in them, and the change in each, paired like the headline."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from safety_assets.evals import slices
from safety_assets.evals.combine import macro
from safety_assets.evals.deltas import compare
from safety_assets.evals.dimension import Cell, Dimension
from safety_assets.evals.in_domain import in_domain
from safety_assets.evals.spread import spread
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.evals.summary import summarise
from safety_assets.evals.wrappers import plain_requests, wrapped
from safety_assets.measures import InDomain, WrappedBudget
from safety_assets.records import DELTAS, DIMENSION_SCORES, PROBES, SCORES


@dataclass(frozen=True)
class Compared:
    """The slices of two models.

    Args:
        deltas: DELTAS; `dimension` is what `called` says.
        scores: DIMENSION_SCORES of the candidate, under the same names, slice seen.
    """

    deltas: pl.DataFrame
    scores: pl.DataFrame


def wrapped_sample(probes: pl.DataFrame, names: tuple[str, ...], rule: WrappedBudget) -> pl.DataFrame:
    """PROBES: the same harmful requests of dimension safety in each of these wrappers."""
    requests = plain_requests(PROBES.check(probes)).filter(pl.col("dimension") == "safety")
    return wrapped(spread(requests, rule.requests, rule.seed), only=names, seed=rule.seed)


def in_domain_sample(probes: pl.DataFrame, tasks: pl.DataFrame, rule: InDomain, system: str | None) -> pl.DataFrame:
    """PROBES: some of each dimension behind conversations of the task set.

    Raises:
        EvaluationError: the task set has too few answered conversations.
    """
    some = spread(PROBES.check(probes).filter(pl.col("slice") == slices.SEEN), rule.per_dimension, rule.seed)
    return in_domain(some, tasks, system=system, exchanges=rule.exchanges, seed=rule.seed)


def called(slice_name: str, dimension: str) -> str:
    """What the score of a slice is called in tables and sentences."""
    wrapper = slices.wrapper_of(slice_name)
    return f"resistance to {wrapper}" if wrapper else f"{dimension} in domain"


def compare_slices(base: pl.DataFrame, tuned: pl.DataFrame, within: Mapping[str, float]) -> Compared:
    """Drop of each slice and dimension that occurs, over the same items; a wrapper's is the mean over categories.

    Args:
        base, tuned: SCORES of the same slices; none of slice seen.
        within: slice to points, for `num_needed`; the name before the colon stands for all wrappers.
    """
    deltas = [DELTAS.empty()]
    for slice_name, one, own in _parts(tuned):
        before = _as_headline(SCORES.check(base), *own, one.name)
        after = _as_headline(tuned, *own, one.name)
        deltas.append(compare(before, after, [one], {one.name: within[slice_name.partition(":")[0]]}))
    return Compared(pl.concat(deltas), slice_scores(tuned))


def slice_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """DIMENSION_SCORES of each slice and dimension that occurs, under the names of `called`, slice seen.

    Args:
        scores: SCORES of one model; none of slice seen.
    """
    parts = [DIMENSION_SCORES.empty()]
    for _, one, own in _parts(scores):
        summed = summarise(_as_headline(scores, *own, one.name), [one])
        parts.append(summed.filter(pl.col("slice") == slices.SEEN))
    return pl.concat(parts)


def _parts(scores: pl.DataFrame) -> Iterator[tuple[str, Dimension, tuple[str, str]]]:
    """Each slice, the dimension that it is scored as, and (slice, dimension) of its rows."""
    for own in SCORES.check(scores).select("slice", "dimension").unique(maintain_order=True).rows():
        yield own[0], _dimension(*own), own


def _dimension(slice_name: str, dimension: str) -> Dimension:
    name = called(slice_name, dimension)
    if slices.wrapper_of(slice_name):
        return Dimension(name, _mean, "mean over categories")
    own = next(one for one in DIMENSIONS if one.name == dimension)
    return Dimension(name, own.combine, own.description)


def _mean(means: Mapping[Cell, np.ndarray]) -> np.ndarray:
    return macro(means)


def _as_headline(scores: pl.DataFrame, slice_name: str, dimension: str, name: str) -> pl.DataFrame:
    own = scores.filter((pl.col("slice") == slice_name) & (pl.col("dimension") == dimension))
    return own.with_columns(dimension=pl.lit(name), slice=pl.lit(slices.SEEN))
