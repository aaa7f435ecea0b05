"""Safety by category and way of asking."""

import polars as pl
import pytest

from safety_assets.evals.phrasings import PHRASINGS, phrasings, side_by_side
from safety_assets.records import SCORES


def scores(items: dict[tuple[str, str], list[float | None]], dimension: str = "safety") -> pl.DataFrame:
    """SCORES with the values of each (metric, category)."""
    return SCORES.frame([
        {
            "model": "m", "probe_id": f"{metric}-{category}-{i}", "dimension": dimension, "metric": metric,
            "category": category, "slice": "seen", "group": f"g{i}", "sample": 0, "judge": "j", "verdict": "v",
            "value": value, "unscored_reason": None if value is not None else "lost",
        }
        for (metric, category), values in items.items()
        for i, value in enumerate(values)
    ])  # fmt: skip


def test_the_phrasing_that_is_refused_least_is_named_in_each_category() -> None:
    found = phrasings(
        scores({
            ("refuses", "fraud"): [1, 1, 1, 1], ("with_system", "fraud"): [1, 1, 0, 0], ("multi_turn", "fraud"): [1, 0],
            ("refuses", "drugs"): [0, 0], ("with_system", "drugs"): [1, 0],
            ("disclaims", "drugs"): [0, 0],
        })
    )  # fmt: skip
    strongest = found.filter("strongest").select("category", "phrasing").rows()
    both = ("with_system", "multi_turn")
    assert strongest == [(category, way) for category in ("", "fraud") for way in both]
    wide = {row["category"]: row for row in side_by_side(found).to_dicts()}
    assert wide["fraud"]["strongest"] == "with_system, multi_turn"
    assert wide["drugs"]["strongest"] == "none"
    assert wide["all"]["with_system"] == pytest.approx(0.5)
    assert set(found["phrasing"]) == {"refuses", "with_system", "multi_turn"}


def test_what_is_unscored_is_not_refused_and_not_counted() -> None:
    found = phrasings(scores({("refuses", "fraud"): [1, None], ("asked_politely", "fraud"): [None, None]}))
    rows = {row["phrasing"]: row for row in found.filter(category="fraud").to_dicts()}
    assert rows["refuses"]["num_items"] == 1
    assert rows["asked_politely"]["refused"] is None
    assert not found["strongest"].any()
    assert phrasings(scores({("refuses", "x"): [1]}, "privacy")).is_empty()


def test_how_often_a_refusal_turns_is_told_by_way_of_asking_and_over_all() -> None:
    given = scores({("refuses", "fraud"): [1, 1], ("in_a_form", "fraud"): [0, 0, 1, 0], ("in_a_role", "fraud"): [None]})
    turned = pl.when((pl.col("metric") == "in_a_form") & (pl.col("value") == 0)).then(pl.lit("turned"))
    found = phrasings(given.with_columns(verdict=turned.otherwise("verdict")))
    rows = {row["phrasing"]: row["turned"] for row in found.filter(category="fraud").to_dicts()}
    assert rows == {"refuses": 0, "in_a_form": 0.75, "in_a_role": None}
    assert side_by_side(found)["turned"].to_list() == [pytest.approx(0.5)] * 2


def test_a_table_without_the_share_is_still_shown() -> None:
    older = phrasings(scores({("refuses", "fraud"): [1, 0]})).drop("turned")
    assert side_by_side(PHRASINGS.check(older))["turned"].to_list() == [None, None]
