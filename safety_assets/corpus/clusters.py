"""Clusters of duplicates, read from the findings: which row stays, how many repeat it, and why it is that one."""

import polars as pl

from safety_assets.corpus.duplicates import EARLIER, PREFERRED
from safety_assets.corpus.findings import CALLED

DUPLICATES = ("exact_duplicate", "near_duplicate")


def clusters(findings: pl.LazyFrame) -> pl.DataFrame:
    """Columns row_id, source, line of the row that is kept, exact, near (rows that repeat it), why; largest first.

    Args:
        findings: FINDINGS of a whole corpus.
    """
    kept = pl.col("evidence").str.extract_groups(CALLED).alias("kept")
    held_out = pl.col("evidence").str.ends_with(PREFERRED)
    found = findings.filter(pl.col("finding").is_in(DUPLICATES)).select("finding", kept, held_out=held_out)
    each = found.unnest("kept").group_by("row_id").agg(
        pl.col("source").first(), pl.col("line").first().cast(pl.Int64),
        *((pl.col("finding") == name).sum().cast(pl.Int64).alias(name.split("_")[0]) for name in DUPLICATES),
        why=pl.when(pl.col("held_out").any()).then(pl.lit(PREFERRED)).otherwise(pl.lit(EARLIER)),
    )  # fmt: skip
    size = pl.col("exact") + pl.col("near")
    return each.sort(size, "row_id", descending=[True, False]).collect()
