import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from safety_assets.evals import statistics as s


def test_wilson_against_scipy_and_known_values():
    for k, n in ((0, 10), (95, 100), (10, 10), (7, 20), (190, 200)):
        low, high = s.wilson(k, n)
        known = stats.binomtest(k, n).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((known.low, known.high), abs=1e-9)
    assert s.wilson(95, 100) == pytest.approx((0.888, 0.978), abs=5e-4)
    with pytest.raises(ValueError, match="at least one item"):
        s.wilson(0, 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test(lost, gained):
    if lost + gained == 0:
        assert s.mcnemar(lost, gained) == 1
    else:
        known = stats.binomtest(lost, lost + gained, 0.5, alternative="greater").pvalue
        assert s.mcnemar(lost, gained) == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize(("lost", "gained"), [(5, 0), (7, 1), (9, 2), (10, 3), (13, 5), (20, 10)])
def test_smallest_significant_counts(lost, gained):
    assert s.mcnemar(lost, gained) <= 0.05 < s.mcnemar(lost - 1, gained)


def test_power_against_simulated_table():
    assert s.mcnemar_power(200, 0.05, 0.01) == pytest.approx(0.82, abs=0.02)
    assert s.mcnemar_power(200, 0.05, 0.03) == pytest.approx(0.62, abs=0.02)
    assert s.mcnemar_power(100, 0.10, 0.01) == pytest.approx(0.90, abs=0.02)
    assert s.mcnemar_power(100, 0.0, 0.0) == 0


def test_resamples_draw_as_many_groups_and_repeat():
    counts = s.resample_counts(20, draws=50)
    assert counts.shape == (50, 20)
    assert (counts.sum(axis=1) == 20).all()
    assert (counts == s.resample_counts(20, draws=50)).all()


def test_means_are_nan_where_nothing_was_drawn():
    sums, numbers = s.cell_sums(np.array([1.0, 0.0, 1.0]), np.array([0, 0, 1]), np.array([0, 1, 0]))
    means = s.resampled_means(np.array([[1.0, 1.0], [0.0, 2.0]]), sums, numbers)
    assert means[0].tolist() == [1.0, 0.0]
    assert means[1, 0] == 1.0
    assert np.isnan(means[1, 1])


def test_bootstrap_is_quick():
    rng = np.random.default_rng(0)
    sums, numbers = s.cell_sums(rng.random(600), np.arange(600) % 200, np.arange(600) % 12)
    s.resampled_means(s.resample_counts(200), sums, numbers)
    start = time.perf_counter()
    s.resampled_means(s.resample_counts(200), sums, numbers)
    assert time.perf_counter() - start < 0.2


def test_num_needed():
    assert s.num_needed(0.9, 1.2, 0.8, 500, 500) is None
    assert s.num_needed(0.0, 0.8, 0.8, 500, 500) == 500
    assert s.num_needed(0.0, 1.6, 0.8, 500, 500) == 2000
    silent = s.num_needed(0.0, 0.0, 0.8, 100, 100)
    assert 10 * s.unseen_rate(silent) <= 0.8 < 10 * s.unseen_rate(silent - 1)


def test_benjamini_hochberg_against_scipy():
    p = np.random.default_rng(1).random(30) ** 3
    assert s.benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert s.benjamini_hochberg(np.array([])).size == 0


def test_the_drop_that_can_be_resolved_is_the_smallest_that_is_found():
    for groups, rate in ((100, 0.01), (200, 0.03), (1000, 0.02)):
        drop = s.resolvable_drop(groups, rate)
        assert drop is not None
        assert s.mcnemar_power(groups, drop, rate) >= 0.8 > s.mcnemar_power(groups, drop - 2e-4, rate)
    assert s.resolvable_drop(200, 0.01) == pytest.approx(0.049, abs=0.003)  # power .82 at 0.05 in the table above
    assert s.resolvable_drop(4, 0.01) is None  # four losses of four are not significant
    assert s.resolvable_drop(0, 0.01) is None


def test_power_of_many_pairs_takes_memory_for_one_row():
    assert s.mcnemar_power(20_000, 0.01, 0.02) > 0.99
