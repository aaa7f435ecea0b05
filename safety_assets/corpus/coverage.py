"""How well the pairs cover what the corpus asks about, by policy category."""

from collections.abc import Sequence

import polars as pl

from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.topics import Topics
from safety_assets.refusals import is_refusal

SCHEMA = {"category": pl.String, "num_pairs": pl.Int64, "num_rows": pl.Int64, "num_refusing": pl.Int64}


class Coverage:
    """Counts the rows that touch each category, a shard at a time.

    Args:
        pairs: PAIRS.
        categories: policy categories, in the order of the table.
    """

    def __init__(self, pairs: pl.DataFrame, categories: Sequence[str]) -> None:
        self._topics, self._categories = Topics(pairs), tuple(categories)
        refusals = pairs.filter(pl.col("kind") == "refusal")["category"].to_list()
        self._pairs = [refusals.count(name) for name in self._categories]

    def count(self, turns: pl.DataFrame) -> pl.DataFrame:
        """Columns category, num_pairs, num_rows, num_refusing of the rows of some TURNS."""
        touched = self._touched(turns) if self._categories else []
        table = [
            (name, pairs, sum(c == name for c, _ in touched), sum(c == name and refuses for c, refuses in touched))
            for name, pairs in zip(self._categories, self._pairs, strict=True)
        ]
        return pl.DataFrame(table, schema=SCHEMA, orient="row")

    def total(self, counts: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """The counts of all shards as one."""
        rows = pl.concat(counts).group_by("category", maintain_order=True)
        return rows.agg(pl.col("num_pairs").first(), pl.col("num_rows", "num_refusing").sum())

    def _touched(self, turns: pl.DataFrame) -> list[tuple[str | None, bool]]:
        """Each category that a row touches, and whether the row refuses somewhere."""
        asked = turns.filter(pl.col("role") == "user").select("row", "text")
        names = {text: self._topics.category(text) for text in asked["text"].unique()}
        touching = {(row, names[text]) for row, text in asked.iter_rows() if names[text]}
        rows = {row for row, _ in touching}
        answers = turns.filter((pl.col("role") == "assistant") & pl.col("row").is_in(list(rows))).select("row", "text")
        refusing = {row for row, text in answers.iter_rows() if is_refusal(text)}
        return [(name, row in refusing) for row, name in touching]


def coverage(rows: pl.DataFrame, pairs: pl.DataFrame, categories: Sequence[str]) -> pl.DataFrame:
    """Per policy category: pairs there are, rows whose user turns touch it, and how many of those rows refuse.

    Returns:
        Columns category, num_pairs (refusal pairs), num_rows, num_refusing; one row per category asked for.
    """
    return Coverage(pairs, categories).count(turns_of(rows))
