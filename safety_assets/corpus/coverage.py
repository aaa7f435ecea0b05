"""How well the pairs cover what the corpus asks about, by policy category, and what it never refuses."""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from safety_assets.corpus.behaviour import REFUSING, behaviour
from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.topics import Topics
from safety_assets.reading.requests import CATEGORIES

SCHEMA = {"category": pl.String, "num_pairs": pl.Int64, "num_rows": pl.Int64, "num_refusing": pl.Int64}


class Coverage:
    """Counts the rows that touch each category, a shard at a time.

    Args:
        pairs: PAIRS.
        categories: policy categories, in the order of the table. Those that the model of requests knows besides stand
            behind them where rows touch them. Nothing is counted where there are none.
        topics: what tells the category of a request, learned from the pairs.
    """

    def __init__(self, pairs: pl.DataFrame, categories: Sequence[str], topics: Topics) -> None:
        self._topics, self._asked = topics, tuple(categories)
        self._categories = tuple(dict.fromkeys([*categories, *CATEGORIES])) if categories else ()
        refusals = pairs.filter(pl.col("kind") == "refusal")["category"].to_list()
        self._pairs = [refusals.count(name) for name in self._categories]

    def count(self, turns: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
        """Columns category, num_pairs, num_rows, num_refusing of the rows of some TURNS.

        Args:
            found: SEEN of these rows, that of `behaviour` among it: it says which rows refuse somewhere.
        """
        touching = self._touching(turns) if self._categories else set()
        refusing = set(found.filter(pl.col("finding").is_in(REFUSING))["row"].to_list())
        rows = Counter(name for _, name in touching)
        refused = Counter(name for row, name in touching if row in refusing)
        told = zip(self._categories, self._pairs, strict=True)
        table = [(name, pairs, rows[name], refused[name]) for name, pairs in told]
        return pl.DataFrame(table, schema=SCHEMA, orient="row")

    def total(self, counts: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """The counts of all shards as one, without categories that nobody asked for and no row touches."""
        rows = pl.concat(counts).group_by("category", maintain_order=True)
        table = rows.agg(pl.col("num_pairs").first(), pl.col("num_rows", "num_refusing").sum())
        return table.filter(pl.col("category").is_in(list(self._asked)) | (pl.col("num_rows") > 0))

    def _touching(self, turns: pl.DataFrame) -> set[tuple[int, str]]:
        """Each row with each category that it touches."""
        asked = turns.filter(pl.col("role") == "user").select("row", "text")
        texts = asked["text"].unique().to_list()
        names = dict(zip(texts, self._topics.touched(texts), strict=True))
        return {(row, name) for row, text in asked.iter_rows() for name in names[text]}


def never_refused(table: pl.DataFrame) -> list[str]:
    """A sentence for each category that rows touch and no row refuses, the most rows first.

    Args:
        table: as `Coverage.total` gives it.
    """
    silent = table.filter((pl.col("num_rows") > 0) & (pl.col("num_refusing") == 0)).sort("num_rows", descending=True)
    return [
        f"{rows:,} row{'s touch' if rows > 1 else ' touches'} {name}, 0 refuse"
        for name, rows in silent.select("category", "num_rows").iter_rows()
    ]


def coverage(rows: pl.DataFrame, pairs: pl.DataFrame, categories: Sequence[str]) -> pl.DataFrame:
    """Per policy category: pairs there are, rows whose user turns touch it, and how many of those rows refuse.

    Returns:
        Columns category, num_pairs (refusal pairs), num_rows, num_refusing; one row per category asked for, and per
        category besides that rows touch.
    """
    both, turns = Coverage(pairs, categories, Topics(pairs)), turns_of(rows)
    return both.total([both.count(turns, behaviour(turns))])
