from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from safety_assets.corpus.frequent import Frequent


@given(st.lists(st.lists(st.integers(0, 30), max_size=40), max_size=8), st.integers(1, 12))
def test_counts_are_too_small_by_the_bound_at_most(batches: list[list[int]], room: int) -> None:
    frequent: Frequent[int] = Frequent(room)
    for batch in batches:
        frequent.add(Counter(batch))
    true = Counter(key for batch in batches for key in batch)
    assert frequent.seen == sum(true.values())
    assert len(frequent.counts) <= room
    for key, count in true.items():
        assert count - frequent.seen / room <= frequent.counts.get(key, 0) <= count


@given(st.lists(st.integers(0, 5), max_size=60))
def test_counts_are_exact_where_there_is_room(keys: list[int]) -> None:
    frequent: Frequent[int] = Frequent(6)
    for key in keys:
        frequent.add({key: 1})
    assert frequent.at_least(2) == {key: count for key, count in Counter(keys).items() if count >= 2}
