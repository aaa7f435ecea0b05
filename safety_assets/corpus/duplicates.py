"""Copies and near-copies: equal chats by a digest of 128 bits, near ones by MinHash and the Jaccard index of shingles.

Rows are taken in order. A row is a near duplicate when it is near a row that was kept, so that no two kept rows are
near one another and every dropped row has its likeness among the kept ones. System turns are not compared: one
long system prompt would make all rows alike.

A pair at the threshold is compared with probability 0.999 (a more alike one more surely), and every pair of up to 128
different rows. Only where very many rows are almost alike without being near (`buckets.CROWDED`) can a near pair
stay. What a row leaves while all are learned is 16 bytes of digest and a few numbers; signatures and shingles are in
temporary files.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from safety_assets.corpus.detect import SEEN, TURNS, named
from safety_assets.corpus.hashed import hash_words, runs
from safety_assets.corpus.nearness import Sets
from safety_assets.records import Table

REPEATS = Table("repeats", {
    "row": (pl.Int64, "position of a row that repeats another"),
    "kept": (pl.Int64, "position of the row that is kept in its place; the rows of one `kept` are a cluster"),
    "jaccard": (pl.Float64, "index of their 3-word shingles, 0 to 1"),
    "exact": (pl.Boolean, "the chats are equal to the letter"),
    "why": (pl.String, "why that row is the one that is kept"),
})  # fmt: skip

EARLIER, PREFERRED = "it stands earlier", "it is held out"

_SEEDS = (0, 1)  # of two hashes of 64 bits each


class Duplicates:
    """Learns every row of a corpus, then finds those that repeat a kept one. A `detect.Learner`.

    Args:
        threshold: Jaccard index of 3-word shingles, 0 < threshold <= 1; at or above is a near duplicate.
        preferred: positions of rows that are kept before all others, however late they stand.
    """

    def __init__(self, threshold: float, preferred: Collection[int] = ()) -> None:
        self._threshold = threshold
        self._preferred = np.array(sorted(preferred), dtype=np.int64)
        self._rows: list[np.ndarray] = []
        self._digests: list[np.ndarray] = []
        self._sets = Sets()
        self._repeats: pl.DataFrame | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard."""
        if self._repeats is not None:
            raise ValueError("learn() after find()")
        told = pl.concat_str(pl.col("role"), pl.lit("\0"), pl.col("text")).str.join("\0")
        said = pl.col("text").filter(pl.col("role") != "system").str.join(" ")
        chats = TURNS.check(turns).group_by("row", maintain_order=True).agg(told.alias("told"), said.alias("said"))
        self._rows.append(chats["row"].to_numpy())
        self._digests.append(np.stack([chats["told"].hash(seed).to_numpy() for seed in _SEEDS], axis=1))
        self._sets.append(runs(hash_words(chats["said"])))

    def repeats(self) -> pl.DataFrame:
        """REPEATS of all rows learned, in the order of rows."""
        if self._repeats is None:
            self._repeats = self._found()
        return self._repeats

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard: `exact_duplicate` and `near_duplicate`, severity low."""
        rows = turns.select(pl.col("row").unique())
        before, after = named(0).split("0")
        held_out = pl.when(pl.col("why") == PREFERRED).then(pl.lit(f", which is kept because {PREFERRED}"))
        kept = pl.format(f"{before}{{}}{after}{{}}", "kept", held_out.otherwise(pl.lit("")))
        near = pl.format("shares {} of its 3-word runs with {}", _two_digits(pl.col("jaccard")), kept)
        return SEEN.check(
            self.repeats()
            .join(rows, on="row", how="semi")
            .sort("row")
            .select(
                "row",
                *(pl.lit(None, dtype=pl.Int64).alias(name) for name in ("turn", "start", "end")),
                pl.when("exact").then(pl.lit("exact_duplicate")).otherwise(pl.lit("near_duplicate")).alias("finding"),
                pl.lit("low").alias("severity"),
                pl.when("exact").then(pl.format("equal to {}", kept)).otherwise(near).alias("evidence"),
            )
        )

    def _found(self) -> pl.DataFrame:
        rows = np.concatenate([np.empty(0, dtype=np.int64), *self._rows])
        digests = np.concatenate([np.empty((0, 2), dtype=np.uint64), *self._digests])
        preferred = np.isin(rows, self._preferred)
        order = np.lexsort((rows, ~preferred))
        copies = _first_alike(order, digests[:, 0], digests[:, 1])
        distinct = order[copies[order] == order]
        worded = distinct[self._sets.counts[distinct] > 0]
        alike = _first_alike(worded, self._sets.sums)
        kept, jaccard = np.arange(len(rows)), np.ones(len(rows))
        near, like, index = self._sets.near(worded[alike[worded] == worded], self._threshold)
        kept[near], jaccard[near] = like, index
        kept[worded], jaccard[worded] = kept[alike[worded]], jaccard[alike[worded]]
        exact = (copies != np.arange(len(rows))) & (kept[copies] == copies)
        kept, jaccard = kept[copies], jaccard[copies]
        again = kept != np.arange(len(rows))
        why = pl.when(pl.Series(preferred[kept[again]])).then(pl.lit(PREFERRED)).otherwise(pl.lit(EARLIER))
        table = {"row": rows[again], "kept": rows[kept[again]], "jaccard": jaccard[again], "exact": exact[again]}
        return REPEATS.check(pl.DataFrame(table).with_columns(why=why).sort("row"))


def _first_alike(order: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """For every position the first in `order` of which all keys are equal; positions not in `order` are their own."""
    first = np.arange(len(keys[0]))
    sorted_keys = np.lexsort([key[order] for key in keys])  # stable: equal ones stay in order
    ranked = order[sorted_keys]
    new = np.ones(len(ranked), dtype=bool)
    new[1:] = np.any([key[ranked][1:] != key[ranked][:-1] for key in keys], axis=0)
    first[ranked] = ranked[np.maximum.accumulate(np.where(new, np.arange(len(ranked)), 0))]
    return first


def _two_digits(number: pl.Expr) -> pl.Expr:
    return (number * 100).round().cast(pl.Int64).cast(pl.String).str.pad_start(3, "0").str.replace(r"(\d\d)$", ".$1")


@dataclass(frozen=True)
class Duplicate:
    """A row that repeats a kept one.

    Args:
        row: position of the row.
        kept: position of the row it repeats.
        jaccard: index of their shingle sets, 0 to 1.
        exact: the chats are equal to the letter.
    """

    row: int
    kept: int
    jaccard: float
    exact: bool


def find_duplicates(chats: Sequence[Sequence[Mapping[str, str]]], threshold: float) -> list[Duplicate]:
    """Rows of a small corpus that repeat an earlier one, at most one entry per row, in order.

    Args:
        chats: the chats, in the order in which they are kept.
        threshold: as in `Duplicates`.
    """
    found = Duplicates(threshold)
    flat = [
        {"row": row, "turn": turn, "role": message["role"], "text": message["content"], "question": ""}
        for row, chat in enumerate(chats)
        for turn, message in enumerate(chat)
    ]
    found.learn(TURNS.frame(flat))
    return [Duplicate(row, kept, jaccard, exact) for row, kept, jaccard, exact, _ in found.repeats().rows()]
