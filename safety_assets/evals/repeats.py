"""The same weights asked the same twice: which probes, and how many of their verdicts flip without a cause."""

import polars as pl

from safety_assets.evals.comparison import Flips, count_flips
from safety_assets.evals.forgotten import changes
from safety_assets.records import PROBES, SCORES

REPEATED = 96
"""About so many probes are answered twice, to see whether verdicts repeat."""


def repeated(probes: pl.DataFrame) -> pl.DataFrame:
    """PROBES spread over the whole suite that are judged alone: REPEATED or up to twice as many, all of fewer.

    They stand in other batches than among all the others, which is what greedy decoding may differ by.
    """
    alone = PROBES.check(probes).filter(pl.col("pair").is_null())
    return alone.gather_every(max(1, alone.height // REPEATED))


def null_flips(first: pl.DataFrame, second: pl.DataFrame) -> Flips:
    """Items that pass in one run and fail in the other.

    Args:
        first: SCORES of a model.
        second: SCORES of some of the same items, answered once more; an item without a score in either does not count.
    """
    asked = SCORES.check(second)["probe_id"].to_list()
    return count_flips(changes(first.filter(pl.col("probe_id").is_in(asked)), second))
