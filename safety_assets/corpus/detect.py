"""What a detector reads and gives back: turns of chats in, what was seen in them out, a shard of the corpus at a time.

A detector of single rows is a function TURNS -> SEEN. One that must have seen the whole corpus (duplicates, constant
openings) is a `Learner`: it is shown every shard once to learn, and once more to find. Cheap vectorised conditions
over `text` come first and pick out candidates; what is exact and slow looks at those alone.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import polars as pl

from safety_assets.records import ROWS, Table

TURNS = Table("turns", {
    "row": (pl.Int64, "position of the row in the corpus, from 0"),
    "turn": (pl.Int64, "index of the message in its chat, from 0"),
    "role": (pl.String, "system, user or assistant"),
    "text": (pl.String, "what the message says"),
    "question": (pl.String, "the user turn that an assistant turn answers; empty for other roles"),
})  # fmt: skip

SEEN = Table("seen", {
    "row": (pl.Int64, "position of the row in the corpus, from 0"),
    "turn": (pl.Int64, "index of the message; null when it is about the row"),
    "start": (pl.Int64, "first character in that message; null when about the message or the row"),
    "end": (pl.Int64, "one past the last character"),
    "finding": (pl.String, "kind of finding"),
    "severity": (pl.String, "low, medium or high"),
    "evidence": (pl.String, "what was seen, masked, one line"),
})  # fmt: skip

Detector = Callable[[pl.DataFrame], pl.DataFrame]
"""TURNS of some whole rows to SEEN of these rows."""


class Learner(Protocol):
    """A detector that must have seen the whole corpus before it can find anything."""

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard; shards come once each, in the order of the corpus."""

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard, after all were learned."""


def named(row: int) -> str:
    """How evidence names another row of the corpus by its position; the audit puts id, file and line in its place."""
    return f"\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}row {row}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"


def turns_of(rows: pl.DataFrame, first: int = 0) -> pl.DataFrame:
    """TURNS of a frame of ROWS.

    Args:
        rows: ROWS, some of the corpus.
        first: position in the corpus of the first of them.
    """
    flat = (
        ROWS.check(rows).select(pl.int_range(first, first + pl.len()).alias("row"), "messages")
        .explode("messages").unnest("messages")
    )  # fmt: skip
    flat = flat.with_columns(turn=pl.int_range(pl.len()).over("row"), text=pl.col("content"))
    before = pl.col("text").shift(1).over("row").fill_null("")
    answered = pl.when(pl.col("role") == "assistant").then(before).otherwise(pl.lit(""))
    return TURNS.check(flat.with_columns(question=answered))


def seen(found: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """SEEN of records that name row, finding, severity and evidence, and turn, start and end where they have them."""
    return SEEN.frame(list(found))
