"""How sure a model is of its choices, and how often it is right: the expected calibration error (ECE) beside Brier.

The ECE is no mean over items, so it is no metric of a dimension and decides nothing; `calibration` scores Brier.
"""

import polars as pl

from safety_assets.evals.judges import choice_shares
from safety_assets.reading.figures import calibration
from safety_assets.records import PROBES, RESPONSES, Table

ALL = ""
"""Category of the row about all categories."""

CONFIDENCE = Table("confidence", {
    "category": (pl.String, "category of the probes; empty: all of them"),
    "num_items": (pl.Int64, "items with finite log-probabilities for every choice"),
    "confidence": (pl.Float64, "mean probability of the likeliest choice, 0..1"),
    "right": (pl.Float64, "share of items whose likeliest choice is the right one, 0..1"),
    "ece": (pl.Float64, "mean distance of the two over ten bins of confidence, 0..1; lower is better"),
    "brier": (pl.Float64, "mean Brier score over all choices, 0..2; lower is better"),
})  # fmt: skip


def confidence(probes: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """Calibration over all items that compare choices, and by category.

    Args:
        probes: PROBES; those with choices count, the right choice first.
        responses: RESPONSES of one model.

    Returns:
        CONFIDENCE, all categories first, then each in its order of appearance; without rows when nothing was compared.
    """
    joined = PROBES.check(probes).join(RESPONSES.check(responses), on="probe_id", maintain_order="left")
    items = [(row["category"], shares) for row in joined.to_dicts() if (shares := _shares(row))]
    names = [ALL, *dict.fromkeys(category for category, _ in items)] if items else []
    return CONFIDENCE.frame([_figures(name, [s for c, s in items if name in (ALL, c)]) for name in names])


def _shares(row: dict) -> list[float]:
    return choice_shares(row["choice_logprobs"] or (), len(row["choices"] or ())) if row["choices"] else []


def _figures(category: str, items: list[list[float]]) -> dict[str, object]:
    brier = [sum((p - (i == 0)) ** 2 for i, p in enumerate(shares)) for shares in items]
    found = calibration([max(shares) == shares[0] for shares in items], [max(shares) for shares in items])
    return {"category": category, "num_items": len(items), **found, "brier": sum(brier) / len(brier)}
