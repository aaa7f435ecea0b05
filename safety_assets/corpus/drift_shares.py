"""How much of each file of a corpus teaches something beside its subject: forms of answers, who speaks, role play.

A single row of these forms is no fault; a large share of them moves a model away from its alignment (Guan et al. 2025).
"""

import polars as pl

from safety_assets.corpus.names import DRIFT

ALL = "all files"
LONG_WORDS, SHORT_WORDS = 250, 5

SHARES = ("list_structure", "identity_statement", "role_play", "system_prompt", "long", "short")
_COUNTS = ("rows", "answers", "words", *SHARES)


class DriftShares:
    """Adds up, shard by shard, how much of each file has each form."""

    def __init__(self) -> None:
        self._counts: list[pl.DataFrame] = []

    def add(self, rows: pl.LazyFrame, findings: pl.LazyFrame) -> None:
        """Take in one shard.

        Args:
            rows: ROWS.
            findings: FINDINGS on them.
        """
        said = rows.select("row_id", "source", "messages").explode("messages").unnest("messages")
        answer, words = pl.col("role") == "assistant", pl.col("content").str.count_matches(r"\S+")
        sizes = said.group_by("source").agg(
            answers=answer.sum(), words=words.filter(answer).sum(),
            system_prompt=pl.col("row_id").filter(pl.col("role") == "system").n_unique(),
            long=(answer & (words > LONG_WORDS)).sum(), short=(answer & (words <= SHORT_WORDS)).sum(),
        )  # fmt: skip
        heights = rows.group_by("source").agg(rows=pl.len())
        forms = findings.filter(pl.col("finding").is_in(DRIFT)).group_by("source").agg(**_forms())
        both = heights.join(sizes, on="source", how="left").join(forms, on="source", how="left")
        self._counts.append(both.select("source", *(pl.col(n).fill_null(0).cast(pl.Int64) for n in _COUNTS)).collect())

    def table(self) -> pl.DataFrame:
        """Columns file, rows, SHARES (0 to 1), mean_words; all files first, then each, the largest first.

        Of answers: list_structure, identity_statement, long (over 250 words), short (up to 5). Of rows: role_play,
        system_prompt. mean_words is of an answer.
        """
        if not self._counts:
            return pl.DataFrame(schema={"file": pl.String, "rows": pl.Int64} | dict.fromkeys(SHARES, pl.Float64))
        each = pl.concat(self._counts).group_by("source").sum().sort("rows", "source", descending=[True, False])
        whole = each.select(pl.lit(ALL).alias("source"), *(pl.col(name).sum() for name in _COUNTS))
        counts = pl.concat([whole, each]) if each.height > 1 else whole
        rows, answers = (pl.max_horizontal(pl.col(name), pl.lit(1)) for name in ("rows", "answers"))
        of = {name: rows if name in ("role_play", "system_prompt") else answers for name in SHARES}
        shares = [pl.col(name) / of[name] for name in SHARES]
        return counts.select(pl.col("source").alias("file"), "rows", *shares, mean_words=pl.col("words") / answers)


def _forms() -> dict[str, pl.Expr]:
    """Answers with a form; rows, for a part to play, which is given in the question."""
    named = pl.col("finding")
    answers = {name: (named == name).sum() for name in ("list_structure", "identity_statement")}
    return answers | {"role_play": pl.col("row_id").filter(named == "role_play").n_unique()}
