import random
import time
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.duplicates import find_duplicates
from safety_assets.corpus.words import shingles

LONG = "to reset the router hold the small button for ten seconds then wait until the green light stops blinking"


def test_first_of_each_cluster_is_kept(chat: Callable) -> None:
    chats = [
        chat("How do I reset it?", LONG),
        chat("Where is Rome?", "Rome is in the middle of Italy on the river Tiber."),
        chat("How do I reset it?", LONG),
        chat("how do i RESET it", LONG + " twice"),
        chat("Where is Rome?", "Rome is in the middle of Italy on the river Tiber!"),
    ]
    found = find_duplicates(chats, 0.8)
    assert [(d.row, d.kept, d.exact) for d in found] == [(2, 0, True), (3, 0, False), (4, 1, False)]
    assert 0.8 <= found[1].jaccard < 1
    assert found[2].jaccard == 1


def test_a_shared_system_prompt_makes_no_duplicates(chat: Callable) -> None:
    chats = [chat("Where is Rome?", "In Italy.", system=LONG), chat("Who wrote Emma?", "Jane Austen.", system=LONG)]
    assert find_duplicates(chats, 0.5) == []


def test_a_copy_of_a_dropped_row_points_at_the_kept_one(chat: Callable) -> None:
    near = chat("How do I reset it?", LONG + " twice")
    found = find_duplicates([chat("How do I reset it?", LONG), near, near], 0.8)
    assert [(d.row, d.kept) for d in found] == [(1, 0), (2, 0)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=8), max_size=25),
    st.sampled_from([0.5, 0.8, 1.0]),
)
def test_agrees_with_comparing_all_pairs(texts: list[list[str]], threshold: float) -> None:
    chats = [[{"role": "user", "content": " ".join(t)}, {"role": "assistant", "content": " ".join(t)}] for t in texts]
    sets = [shingles(" ".join(t + t)) for t in texts]
    kept: list[int] = []
    for i, own in enumerate(sets):
        if not any(len(own & sets[k]) / len(own | sets[k]) >= threshold for k in kept):
            kept.append(i)
    found = {d.row for d in find_duplicates(chats, threshold)}
    assert [i for i in range(len(texts)) if i not in found] == kept


def test_five_thousand_rows_take_seconds(chat: Callable) -> None:
    rng = random.Random(0)
    vocabulary = [f"word{i}" for i in range(3000)]
    texts = [" ".join(rng.choices(vocabulary, k=50)) for _ in range(4900)]
    texts += [text + " more" for text in texts[:100]]
    began = time.process_time()
    found = find_duplicates([chat("Tell me a story about it.", text) for text in texts], 0.8)
    assert len(found) == 100
    assert time.process_time() - began < 10
