"""The same question, answered yes and no, or with other numbers: one of the rows teaches something wrong.

Questions are the same when all turns before the answer have the same words. A yes or no counts where the answer opens
with it; numbers count where two answers say the same but for them. A row leaves 33 bytes while all are learned.
"""

import numpy as np
import polars as pl

from safety_assets.corpus.detect import named, seen
from safety_assets.corpus.hashed import hash_words, whole
from safety_assets.hashes import mixed

_YES = r"(?i)^\W*(?:yes|yeah|yep|correct|true|right)\b"
_NO = r"(?i)^\W*(?:no|nope|incorrect|false|wrong)\b"
_UNDECIDED = r"(?i)^\W*(?:yes and no|no problem|no worries|right away|no one|nobody|true or|correct me|no matter)\b"
_NUMBER = r"\d+(?:[.,:]\d+)*"


_SHORT_WORDS = 25

SAID = {
    "row": pl.Int64,
    "turn": pl.Int64,
    "asked": pl.UInt64,  # hash of all that was said before
    "stance": pl.UInt64,  # 1 yes, 2 no, 0 neither
    "frame": pl.UInt64,  # hash of the question and of the answer without its numbers
    "numbers": pl.UInt64,  # hash of the numbers of an answer; 0 where it has none
    "number": pl.UInt64,  # the same of a short answer with a single number; 0 otherwise
}


class Contradictions:
    """Learns what questions are answered, then finds `contradictory_answer`, severity medium. A `detect.Learner`."""

    def __init__(self) -> None:
        self._said = [pl.DataFrame(schema=SAID)]
        self._found: pl.DataFrame | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard."""
        self._said.append(_said(turns))

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard: each answer that another contradicts, and which."""
        if self._found is None:
            self._found = _contradicted(pl.concat(self._said))
            self._said = []
        here = turns.filter(pl.col("role") == "assistant").select("row", "turn")
        found = here.join(self._found, on=["row", "turn"], how="inner", maintain_order="left")
        return seen(
            {"row": row, "turn": turn, "finding": "contradictory_answer", "severity": "medium",
             "evidence": f"the same question is answered {how} in {named(other)}"}
            for row, turn, how, other in found.select("row", "turn", "how", "other").iter_rows()
        )  # fmt: skip


def _contradicted(said: pl.DataFrame) -> pl.DataFrame:
    """Columns row, turn, how, other: every answer that another one contradicts, once."""
    ways = (("asked", "stance", "the other way"), ("frame", "numbers", "with other numbers"),
            ("asked", "number", "with another number"))  # fmt: skip
    found = [_differing(said, key, value).with_columns(how=pl.lit(how)) for key, value, how in ways]
    return pl.concat(found).unique(["row", "turn"], keep="first", maintain_order=True)


def _differing(said: pl.DataFrame, key: str, value: str) -> pl.DataFrame:
    """Columns row, turn, other: answers of one key with several values, and the first row with another value."""
    told = said.filter(pl.col(value) != 0).select("row", "turn", key, value)
    torn = told.filter(pl.col(value).n_unique().over(key) > 1)
    first = pl.col("row").first().over(key)
    unlike_first = pl.col("row").filter(pl.col(value) != pl.col(value).first()).first().over(key)
    other = pl.when(pl.col(value) == pl.col(value).first().over(key)).then(unlike_first).otherwise(first)
    return torn.select("row", "turn", other=other)


def _said(turns: pl.DataFrame) -> pl.DataFrame:
    answers = turns.with_columns(asked=pl.Series(_before(turns), dtype=pl.UInt64)).filter(pl.col("role") == "assistant")
    text = pl.col("text")
    numbers = text.str.extract_all(_NUMBER).list.eval(pl.element().str.replace_all(",", ""))
    single = (numbers.list.n_unique() == 1) & (text.str.count_matches(r"\S+") <= _SHORT_WORDS)
    stance = pl.when(text.str.contains(_UNDECIDED)).then(0).when(text.str.contains(_YES)).then(1)
    told = answers.select(
        "row", "turn", "asked",
        stance.when(text.str.contains(_NO)).then(2).otherwise(0).cast(pl.UInt64).alias("stance"),
        bare=text.str.replace_all(_NUMBER, "0"),
        numbers=pl.when(numbers.list.len() > 0).then(numbers.list.join(" ").hash() | 1).otherwise(0).cast(pl.UInt64),
        number=pl.when(single).then(numbers.list.first().hash() | 1).otherwise(0).cast(pl.UInt64),
    )  # fmt: skip
    frame = mixed(told["asked"].to_numpy() ^ mixed(whole(hash_words(told["bare"]))))
    return told.with_columns(frame=pl.Series(frame, dtype=pl.UInt64)).select(list(SAID))


def _before(turns: pl.DataFrame) -> np.ndarray:
    """For every turn one hash of the words of all turns before it in its row, in their order (turns,)."""
    each = mixed(whole(hash_words(turns["text"])) + turns["turn"].to_numpy().astype(np.uint64))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(each)])[:-1]
    rows = turns["row"].to_numpy()
    first = np.ones(len(rows), dtype=bool)
    first[1:] = rows[1:] != rows[:-1]
    begin = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
    return mixed(sums - sums[begin])
