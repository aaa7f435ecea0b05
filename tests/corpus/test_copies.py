"""Copies are numbered as if every id were remembered, in far less memory."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.copies import Copies

IDS = st.sampled_from([f"{n:016x}" for n in (0, 1, 7, 2**63, 2**64 - 1)])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(IDS, max_size=6), max_size=12))
def test_the_k_th_copy_is_called_k_however_batches_are_cut(batches: list[list[str]]) -> None:
    copies, seen = Copies(), Counter[str]()
    for batch in batches:
        expected = []
        for name in batch:
            expected.append(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
        assert copies.number(batch) == expected


def test_an_id_takes_twelve_bytes_and_runs_stay_few() -> None:
    copies = Copies()
    for start in range(0, 100_000, 1000):
        copies.number([f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}" for n in range(start, start + 1000)])
    runs = copies._runs
    assert sum(ids.nbytes + counts.nbytes for ids, counts in runs) == 12 * 100_000
    assert len(runs) <= 10
