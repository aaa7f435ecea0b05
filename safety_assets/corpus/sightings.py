"""SEEN out of the turns that a detector picked: the same few columns for every finding."""

from collections.abc import Callable

import polars as pl

from safety_assets.corpus.detect import SEEN


def sightings(turns: pl.DataFrame, finding: str, severity: str, evidence: pl.Expr) -> pl.DataFrame:
    """One SEEN per turn of a frame of TURNS.

    Args:
        evidence: an expression over the columns of `turns`, one line of text.
    """
    nothing = [pl.lit(None, dtype=pl.Int64).alias(name) for name in ("start", "end")]
    told = [pl.lit(finding).alias("finding"), pl.lit(severity).alias("severity"), evidence.alias("evidence")]
    return SEEN.check(turns.select("row", "turn", *nothing, *told))


def with_reasons(turns: pl.DataFrame, reason: Callable[[str], str | None]) -> pl.DataFrame:
    """Those TURNS whose text has a reason, with the column `reason`; equal texts are looked at once."""
    texts = turns["text"].unique(maintain_order=True)
    reasons = {text: why for text in texts.to_list() if (why := reason(text)) is not None}
    table = pl.DataFrame(
        {"text": list(reasons), "reason": list(reasons.values())}, schema={"text": pl.String, "reason": pl.String}
    )
    return turns.join(table, on="text", how="inner", maintain_order="left")
