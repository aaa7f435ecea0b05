from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.errors import TrainingError
from safety_assets.training.batches import WINDOW, Mix, interleave, micro_batches, step_rows


def mix(share: float = 0.2, batch_rows: int = 4, seed: int = 0, task: int = 37, pairs: int = 9) -> Mix:
    lengths = tuple(int(x) for x in np.random.default_rng(7).integers(5, 60, task + 3 * pairs))
    kinds = tuple(tuple(range(task + k * pairs, task + (k + 1) * pairs)) for k in range(3))
    return Mix(lengths, tuple(range(task)), kinds, batch_rows, share, seed)


@given(share=st.floats(0, 0.6), batch_rows=st.integers(1, 20), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_every_window_holds_the_share_within_one_row(share: float, batch_rows: int, seed: int):
    drawn = mix(share, batch_rows, seed)
    for window in range(4):
        rows = [r for step in range(window * WINDOW, (window + 1) * WINDOW) for r in step_rows(drawn, step)]
        injected = sum(r >= 37 for r in rows)
        assert abs(injected - share / (1 - share) * WINDOW * batch_rows) <= 1
        assert len(rows) - injected == WINDOW * batch_rows


def test_steps_of_a_window_differ_by_at_most_one_injected_row():
    counts = [sum(r >= 37 for r in step_rows(mix(0.3), step)) for step in range(WINDOW)]
    assert max(counts) - min(counts) <= 1


def test_task_rows_are_those_of_plain_step_by_step():
    for step in range(5 * WINDOW):
        assert [r for r in step_rows(mix(0.3), step) if r < 37] == step_rows(mix(0.0), step)


def test_an_epoch_shows_every_task_row_once():
    rows = [r for step in range(37 * WINDOW) for r in step_rows(mix(0.0), step)]  # 32 whole epochs
    assert set(Counter(rows).values()) == {WINDOW * 4}


def test_kinds_stay_in_proportion():
    rows = [r for step in range(4 * WINDOW) for r in step_rows(mix(0.3), step) if r >= 37]
    kinds = Counter((r - 37) // 9 for r in rows)
    assert max(kinds.values()) - min(kinds.values()) <= 4


def test_any_stretch_of_interleaved_rows_is_in_proportion():
    rows = interleave([list(range(30)), list(range(30, 40))], np.random.default_rng(0))
    assert sorted(rows) == list(range(40))
    assert all(1 <= sum(r >= 30 for r in rows[i : i + 8]) <= 3 for i in range(33))


def test_rows_of_like_length_are_put_together():
    drawn = mix(0.2, task=200)
    spread = [np.ptp([drawn.lengths[r] for r in step_rows(drawn, step)]) for step in range(WINDOW)]
    assert np.mean(spread) < 15


def test_batches_depend_on_seed_and_step_alone():
    assert step_rows(mix(), 13) == step_rows(mix(), 13)
    assert step_rows(mix(), 13) != step_rows(mix(seed=1), 13)


def test_micro_batches_hold_every_row_once():
    pieces = micro_batches([3, 1, 2, 0], (5, 9, 1, 4), 3)
    assert pieces == [[2, 3, 0], [1]]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"pairs": 0, "share": 0.1}, "no pair to inject"), ({"task": 0}, "no corpus row"), ({"share": 1.0}, "share")],
)
def test_a_mix_that_cannot_be_drawn_is_refused(change: dict, words: str):
    with pytest.raises(TrainingError, match=words):
        mix(**change)
