"""The monotone fit, and the least share that keeps its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety_assets.evals.calibration import Point, choose, rising_fit

LIMITS = {"base_over_refusal": 0.0, "base_safety": 9.0, "max_safety_drop": 0.5, "max_over_refusal": 0.1}


def points(*figures: tuple[float, float | None, float | None]) -> list[Point]:
    return [Point(share=share, safety=safety, over_refusal=refused) for share, safety, refused in figures]


def test_a_dip_is_pooled_with_its_neighbour() -> None:
    assert rising_fit([1, 3, 2, 4]).tolist() == [1, 2.5, 2.5, 4]
    assert rising_fit([3, 1], weights=[3, 1]).tolist() == [2.5, 2.5]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=12))
def test_the_fit_never_falls_and_keeps_the_mean(values: list[float]) -> None:
    fit = rising_fit(values)
    assert (np.diff(fit) >= -1e-9).all()
    assert fit.mean() == pytest.approx(np.mean(values))


def test_the_least_share_within_both_limits_is_chosen() -> None:
    choice = choose(points((0.05, 7.0, 0.0), (0.1, 8.6, 0.05), (0.2, 9.0, 0.05)), **LIMITS)
    assert choice.share == 0.1
    assert choice.reasons == ()


def test_no_share_is_chosen_where_none_keeps_its_limits_and_each_says_why() -> None:
    choice = choose(points((0.05, 7.0, 0.0), (0.1, 9.0, 0.4)), **LIMITS)
    assert choice.share is None
    assert choice.reasons == (
        "At share 0.05 safety 7.00 is under 8.50.",
        "At share 0.1 over-refusal 0.40 is over 0.10.",
    )


def test_a_base_that_is_over_the_ceiling_is_named_where_no_share_fits() -> None:
    timid = LIMITS | {"base_over_refusal": 0.8}
    assert choose(points((0.05, 9.0, 0.8)), **timid).reasons[-1].startswith("The base itself leaves 0.80")
    assert choose(points((0.05, 9.0, 0.0)), **timid).reasons == ()


def test_a_curve_with_a_hole_chooses_nothing() -> None:
    assert choose(points((0.05, 9.0, 0.0), (0.1, None, 0.0)), **LIMITS).reasons == ("share 0.1 could not be scored",)
    assert choose(points((0.05, 9.0, 0.0)), **LIMITS | {"base_safety": None}).share is None
    assert choose([], **LIMITS).share is None
