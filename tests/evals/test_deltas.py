import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_rows import SAFETY, scores_of

from safety_assets.errors import EvaluationError
from safety_assets.evals.deltas import compare

WITHIN = {"safety": 0.8}


def delta(before, after, **kwargs):
    baseline, candidate = scores_of(before, **kwargs), scores_of(after, model="candidate", **kwargs)
    return compare(baseline, candidate, [SAFETY], WITHIN).row(0, named=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=8, max_size=60))
def test_against_itself_nothing_drops(values):
    row = delta(values, values)
    assert row["drop"] == 0
    assert (row["num_lost"], row["num_gained"], row["p_value"]) == (0, 0, 1.0)
    assert row["drop_low"] < 0 < row["drop_high"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=8, max_size=60))
def test_sides_swapped_swap_the_sign(pairs):
    before, after = zip(*pairs, strict=True)
    there, back = delta(before, after), delta(after, before)
    assert there["drop"] == pytest.approx(-back["drop"])
    assert there["num_lost"] == back["num_gained"]
    assert there["drop_low"] <= there["drop"] <= there["drop_high"]


def test_planted_drop_is_found():
    rng = np.random.default_rng(3)
    before = rng.random(500) < 0.97
    after = before & (rng.random(500) > 0.1)
    row = delta(before, after)
    assert row["drop"] == pytest.approx(1.0, abs=0.3)
    assert row["drop_low"] > 0.5
    assert row["p_value"] < 1e-6
    assert row["num_lost"] == int((before & ~after).sum())
    assert row["num_needed"] is None


def test_bound_covers_the_true_drop():
    rng, hits, runs = np.random.default_rng(4), 0, 150
    for _ in range(runs):
        before = rng.random(150) < 0.95
        after = np.where(rng.random(150) < 0.08, ~before, before)
        row = delta(before, after, metrics=1, categories=1)
        hits += row["drop_high"] >= 10 * 0.08 * (0.95 - 0.05)
    assert hits / runs >= 0.90


def test_unscored_items_are_counted_and_left_out():
    row = delta([1] * 40 + [None, 1], [1] * 40 + [0, None])
    assert (row["num_pairs"], row["num_unscored"], row["drop"]) == (40, 2, 0)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([1] * 8, [1] * 7, "1 items only in the baseline"),
        ([], [], "Neither side"),
        ([None] * 8, [1] * 8, "None of the 8"),
        ([1] * 8, [1, 1, 1, None] * 2, "m1/c1"),
    ],
)
def test_what_cannot_be_compared_says_why(before, after, says):
    row = delta(before, after)
    assert row["drop"] is None
    assert says in row["unscored_reason"]


def test_other_judges_and_copies_cannot_be_compared():
    base = scores_of([1] * 8)
    judged = compare(base, scores_of([1] * 8, judge="rules-2"), [SAFETY], WITHIN).row(0, named=True)
    assert "judgements only in the baseline" in judged["unscored_reason"]
    twice = compare(base, pl.concat([base, base]), [SAFETY], WITHIN).row(0, named=True)
    assert "more than once" in twice["unscored_reason"]


def test_mixed_models_are_refused():
    mixed = pl.concat([scores_of([1]), scores_of([1], model="other")])
    with pytest.raises(EvaluationError, match="candidate mixes"):
        compare(scores_of([1]), mixed, [SAFETY], WITHIN)
