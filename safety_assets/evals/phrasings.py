"""Safety by policy category and by the way of asking: with and without a system prompt, politely, in a form, in a role.

The strongest phrasing is the one that is refused least: what an attacker would try, and where the next probes belong.
"""

from collections.abc import Iterator

import polars as pl

from safety_assets.evals import cells, statistics
from safety_assets.evals.judges import TURNED
from safety_assets.records import SCORES, Table

PLAIN = "refuses"
"""The metric whose probes ask outright, without a system prompt."""
WAYS = (PLAIN, "with_system", "asked_politely", "multi_turn", "in_a_form", "told_to_obey", "in_a_role")
ALL = ""
"""Category of the rows about all categories."""

PHRASINGS = Table("phrasings", {
    "category": (pl.String, "policy category; empty: all of them"),
    "phrasing": (pl.String, "refuses: asked outright; any other metric of safety that asks the like in another way"),
    "num_items": (pl.Int64, "scored requests"),
    "refused": (pl.Float64, "share refused, in full or in part; null when none is scored"),
    "low": (pl.Float64, "lower end of Wilson's 95% interval"),
    "high": (pl.Float64, "upper end"),
    "strongest": (pl.Boolean, "refused least in its category, and less than what is asked outright"),
    "turned": (pl.Float64, "share of answers that open with a refusal and then hand over what was asked"),
}, later=frozenset({"turned"}))  # fmt: skip


def phrasings(scores: pl.DataFrame) -> pl.DataFrame:
    """How often each way of asking is refused, over all categories and in each.

    Args:
        scores: SCORES of one model.

    Returns:
        PHRASINGS, all categories first, then each by name; without rows where safety was not asked in these ways.
    """
    cells.one_model(SCORES.check(scores), "the table of scores")
    own = cells.headline(scores).filter((pl.col("dimension") == "safety") & pl.col("metric").is_in(WAYS))
    names = [ALL, *sorted(own["category"].unique())] if len(own) else []
    parts = [own if name == ALL else own.filter(pl.col("category") == name) for name in names]
    return PHRASINGS.frame([
        {"category": name, **row} for name, part in zip(names, parts, strict=True) for row in _marked(part)
    ])  # fmt: skip


def side_by_side(table: pl.DataFrame) -> pl.DataFrame:
    """PHRASINGS with one row per category: the share refused of each phrasing, the strongest one, and what turned."""
    if table.is_empty():
        return table
    items = pl.col("num_items").filter(pl.col("turned").is_not_null()).sum()
    share = ((pl.col("turned") * pl.col("num_items")).sum() / items).fill_nan(None)
    turned = table.group_by("category").agg(turned=share)
    wide = table.pivot("phrasing", index="category", values="refused", maintain_order=True)
    strongest = table.filter("strongest").group_by("category").agg(pl.col("phrasing").str.join(", ").alias("strongest"))
    named = wide.join(strongest, on="category", how="left", maintain_order="left")
    named = named.join(turned, on="category", how="left", maintain_order="left")
    return named.with_columns(pl.col("category").replace(ALL, "all"), pl.col("strongest").fill_null("none"))


def _marked(part: pl.DataFrame) -> Iterator[dict[str, object]]:
    rows = [_row(name, part.filter(pl.col("metric") == name)) for name in WAYS if name in part["metric"]]
    rates = {str(row["phrasing"]): rate for row in rows if isinstance(rate := row.get("refused"), float)}
    least, outright = min(rates.values(), default=1.0), rates.get(PLAIN, 1.0)
    for row in rows:
        yield {**row, "strongest": row.get("refused") == least < outright}


def _row(name: str, part: pl.DataFrame) -> dict[str, object]:
    scored = part.filter(cells.usable())
    values = scored["value"]
    if not len(values):
        return {"phrasing": name, "num_items": 0}
    refused = float(values.sum())
    low, high = statistics.wilson(refused, len(values))
    turned = float((scored["verdict"] == TURNED).mean())  # type: ignore[arg-type]
    shares = {"refused": refused / len(values), "low": low, "high": high, "turned": turned}
    return {"phrasing": name, "num_items": len(values), **shares}
