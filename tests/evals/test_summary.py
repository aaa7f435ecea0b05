import json

import numpy as np
import polars as pl
import pytest
from score_rows import SAFETY, scores_of

from safety_assets.errors import EvaluationError
from safety_assets.evals import slices
from safety_assets.evals.dimension import Dimension
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.records import SCORES


def row_of(frame, name="seen"):
    return frame.row(by_predicate=pl.col("slice") == name, named=True)


def test_score_is_ten_times_p_with_all_slices():
    scores = scores_of([1, 1, 1, 0] * 30)
    out = summarise(scores, [SAFETY])
    assert out["slice"].to_list() == ["seen", "unseen"]
    row = row_of(out)
    assert row["score"] == pytest.approx(7.5)
    assert row["low"] < 7.5 < row["high"]
    assert (row["num_items"], row["num_unscored"], row["unscored_reason"]) == (120, 0, None)
    metrics = json.loads(row["metrics"])
    assert metrics["m0/c0"] == {"mean": 1.0, "n": 30, "unscored": 0}
    assert metrics["m1"]["mean"] == pytest.approx(0.5)


@pytest.mark.parametrize("values", [[], [None] * 8])
def test_nothing_scored_is_never_a_number(values):
    for row in summarise(scores_of(values), [SAFETY]).iter_rows(named=True):
        assert row["score"] is row["low"] is row["high"] is None
        assert row["unscored_reason"]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 1.5, -0.1])
def test_a_value_outside_its_domain_counts_as_unscored(odd):
    row = row_of(summarise(scores_of([1] * 40 + [odd]), [SAFETY]))
    assert row["num_unscored"] == 1
    assert row["score"] == 10


def test_a_silent_cell_leaves_the_dimension_unscored():
    values = [None if i % 2 and i // 2 % 2 else 1 for i in range(80)]
    row = row_of(summarise(scores_of(values), [SAFETY]))
    assert row["score"] is None
    assert "m1/c1" in row["unscored_reason"]
    assert "judge was down" in row["unscored_reason"]


def test_perfect_items_still_have_a_width():
    row = row_of(summarise(scores_of([1] * 100), [SAFETY]))
    assert (row["score"], row["high"]) == (10, 10)
    assert row["low"] == pytest.approx(9.63, abs=0.01)


def test_dimensions_that_cannot_be_computed_say_so():
    missing = Dimension("safety", lambda cells: cells["absent", "cell"], "")
    wide = Dimension("safety", lambda cells: np.full(2001, 2.0), "")
    for broken in (missing, wide):
        row = row_of(summarise(scores_of([1, 0] * 20), [broken]))
        assert row["score"] is None
        assert "safety" in row["unscored_reason"]


def test_mixed_models_and_unknown_slices_are_refused():
    two = pl.concat([scores_of([1]), scores_of([1], model="other")])
    with pytest.raises(EvaluationError, match="2 models"):
        summarise(two, [SAFETY])
    with pytest.raises(EvaluationError, match="slice half"):
        summarise(scores_of([1]).with_columns(slice=pl.lit("half")), [SAFETY])


@pytest.mark.parametrize(("p", "group_size"), [(0.5, 1), (0.95, 1), (0.9, 4)])
def test_interval_covers_the_truth(p, group_size, monkeypatch):
    monkeypatch.setattr(slices, "ALWAYS", ("seen",))
    rng, hits, runs = np.random.default_rng(2), 0, 120
    for _ in range(runs):
        whole = np.repeat(rng.random(120 // group_size) < p, group_size)
        scores = scores_of(whole.astype(float), metrics=1, categories=1, group_size=group_size)
        row = row_of(summarise(scores, [SAFETY]))
        hits += row["low"] <= 10 * p <= row["high"]
    assert hits / runs >= 0.90


def test_over_refusal():
    lookalike = scores_of([1, 1, 1, 0], dimension="user_impact", metrics=1).with_columns(metric=pl.lit("lookalike"))
    measured = over_refusal(pl.concat([lookalike, scores_of([0] * 10)]))
    assert measured["rate"] == 0.25
    assert measured["num_items"] == 4
    assert measured["low"] < 0.25 < measured["high"]
    nothing = over_refusal(SCORES.empty())
    assert nothing["rate"] is None
    assert nothing["unscored_reason"]


def test_what_was_never_seen_stands_apart_and_decides_nothing():
    scores = scores_of([1] * 60 + [0] * 40).with_columns(
        slice=pl.when(pl.col("value") == 0).then(pl.lit("unseen")).otherwise(pl.lit("seen"))
    )
    out = summarise(scores, [SAFETY])
    assert row_of(out)["score"] == 10
    assert row_of(out, "unseen")["score"] == 0


def test_other_slices_stand_apart_where_they_occur():
    scores = scores_of([1] * 60 + [0] * 40).with_columns(
        slice=pl.when(pl.col("value") == 0).then(pl.lit("in_domain")).otherwise(pl.lit("seen"))
    )
    out = summarise(scores, [SAFETY])
    assert out["slice"].to_list() == ["seen", "unseen", "in_domain"]
    assert row_of(out)["score"] == 10
    assert row_of(out, "in_domain")["score"] == 0
    with pytest.raises(EvaluationError, match="wrapped:NAME"):
        summarise(scores.with_columns(slice=pl.lit("wrapped:")), [SAFETY])
