"""How the chosen pairs are shared out: together what was asked for, nobody more than there is, weights felt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety_assets.corpus.quotas import deal, quotas

NAMES = ("cyber", "drugs", "fraud", "hate")
SIZES = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 40), min_size=1)
WEIGHTS = st.fixed_dictionaries({name: st.floats(0.25, 8) for name in NAMES})
LEAST = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 10))
STRATA = st.dictionaries(
    st.tuples(st.sampled_from(("refusal", "lookalike", "anchor")), st.sampled_from(NAMES)), st.integers(1, 40)
)


@given(SIZES, st.integers(0, 200), WEIGHTS, LEAST)
def test_seats_sum_to_the_total_within_sizes_and_floors(sizes: dict, total: int, weights: dict, least: dict) -> None:
    seats = deal(total, sizes, weights, least)
    assert sum(seats.values()) == min(total, sum(sizes.values()))
    assert all(0 <= seats[name] <= sizes[name] for name in sizes)
    if total >= sum(least.values()):
        assert all(seats[name] >= min(least.get(name, 0), sizes[name]) for name in sizes)


@given(SIZES, st.integers(0, 200), WEIGHTS, LEAST)
def test_one_more_seat_takes_none_away(sizes: dict, total: int, weights: dict, least: dict) -> None:
    before, after = deal(total, sizes, weights, least), deal(total + 1, sizes, weights, least)
    assert all(after[name] >= before[name] for name in sizes)


@given(SIZES, st.integers(0, 200), WEIGHTS, st.sampled_from(NAMES))
def test_more_weight_never_gets_fewer_seats(sizes: dict, total: int, weights: dict, name: str) -> None:
    heavier = {**weights, name: 2 * weights[name]}
    assert deal(total, sizes, heavier, {}).get(name, 0) >= deal(total, sizes, weights, {}).get(name, 0)


def test_seats_follow_the_weights_to_within_one() -> None:
    sizes = dict.fromkeys(NAMES, 100)
    assert deal(80, sizes, {"cyber": 4.0, "drugs": 2.0, "fraud": 1.0, "hate": 1.0}, {}) == {
        "cyber": 40, "drugs": 20, "fraud": 10, "hate": 10,
    }  # fmt: skip


@given(STRATA, st.integers(0, 300), st.dictionaries(st.sampled_from(NAMES), st.floats(0.25, 8)))
def test_quotas_sum_up_and_keep_the_kinds_in_proportion(sizes: dict, most: int, weights: dict) -> None:
    found = quotas(sizes, most, weights=weights, least={})
    whole = sum(sizes.values())
    assert sum(found.values()) == min(most, whole)
    assert set(found) == set(sizes)
    for kind in {kind for kind, _ in sizes}:
        own = sum(size for name, size in sizes.items() if name[0] == kind)
        taken = sum(count for name, count in found.items() if name[0] == kind)
        assert taken == pytest.approx(own * min(1, most / whole) if whole else 0, abs=2)


def test_refusals_keep_what_the_policy_demands_before_anything_is_dealt() -> None:
    sizes = {("refusal", "cyber"): 30, ("refusal", "hate"): 30, ("anchor", "sums"): 500}
    found = quotas(sizes, 60, weights={"cyber": 100.0}, least={"cyber": 8, "hate": 8})
    assert found["refusal", "hate"] >= 8
    assert found["anchor", "sums"] > 40
    assert quotas(sizes, 560, weights={}, least={}) == sizes
    assert sum(quotas(sizes, 0, weights={}, least={}).values()) == 0
