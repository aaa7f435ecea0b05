"""Where the answers of audited rows refuse, hedge or protect personal data: what a weighting of tokens asks for.

The findings say it already: `audited_corpus` is audited once more as it is trained on, after masks and with its pairs,
and its table `residue` holds each place with the characters of the message in `rows`. Training maps them to tokens by
the offsets of its tokenizer; the same row id, turn and characters are those of the message.
"""

import polars as pl

from safety_assets.frames import Shards
from safety_assets.records import MARKS

KINDS = {
    "refusal_in_corpus": "refusal", "partial_refusal": "refusal", "hedged_answer": "hedge", "privacy_marker": "privacy",
}  # fmt: skip
"""Finding to what it marks."""


def marks(residue: Shards) -> pl.DataFrame:
    """MARKS of the findings on audited rows, by row, turn and place.

    Args:
        residue: FINDINGS of `audited_corpus` on what is left.
    """
    kind = pl.col("finding").replace_strict(KINDS, default=None, return_dtype=pl.String)
    found = residue.lazy().select("row_id", "turn", "start", "end", mark=kind).drop_nulls("mark").collect()
    return MARKS.check(found.unique().sort("row_id", "turn", "start", "mark", nulls_last=False))
