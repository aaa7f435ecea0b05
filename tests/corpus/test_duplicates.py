import itertools
import random
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.detect import named, turns_of
from safety_assets.corpus.duplicates import PREFERRED, Duplicates, find_duplicates
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


def planted(rng: random.Random, rows: int, copies: int) -> list[str]:
    vocabulary = [f"word{i}" for i in range(3000)]
    texts = [" ".join(rng.choices(vocabulary, k=50)) for _ in range(rows)]
    return texts + [text + " more" for text in texts[:copies]]


def test_bands_find_every_planted_copy(chat: Callable) -> None:
    texts = planted(random.Random(0), 900, 100)
    found = find_duplicates([chat("Tell me a story about it.", text) for text in texts], 0.8)
    assert [(d.row, d.kept) for d in found] == [(900 + i, i) for i in range(100)]


def test_of_many_alike_no_two_near_ones_are_kept(chat: Callable) -> None:
    rng = random.Random(1)
    base = [f"word{i}" for i in range(40)]
    texts = [" ".join(w if rng.random() > 0.03 else f"other{rng.randrange(30)}" for w in base) for _ in range(400)]
    found = find_duplicates([chat("Go on.", text) for text in texts], 0.7)
    sets = [shingles("Go on. " + text) for text in texts]
    dropped = {d.row for d in found}
    kept = [i for i in range(400) if i not in dropped]
    assert len(kept) > 40  # more than a crowded bucket
    for i in kept:
        assert not any(k < i and len(sets[i] & sets[k]) / len(sets[i] | sets[k]) >= 0.7 for k in kept)
    for d in found:
        assert d.kept not in dropped
        assert d.jaccard == pytest.approx(len(sets[d.row] & sets[d.kept]) / len(sets[d.row] | sets[d.kept]))


def test_preferred_rows_are_kept_and_shards_do_not_matter(chat: Callable, make_rows: Callable) -> None:
    near = chat("How do I reset it?", LONG + " twice")
    rows = make_rows(chat("How do I reset it?", LONG), near, chat("Where is Rome?", "In Italy."), near)
    found = []
    for cuts in ([0, 4], [0, 1, 3, 4]):
        learner = Duplicates(0.8, preferred={3})
        shards = [turns_of(rows[a:b], a) for a, b in itertools.pairwise(cuts)]
        for shard in shards:
            learner.learn(shard)
        found.append(pl.concat([learner.find(shard) for shard in shards]))
        assert learner.repeats().select("row", "kept", "exact", "why").rows() == [
            (0, 3, False, PREFERRED),
            (1, 3, True, PREFERRED),
        ]
    assert found[0].equals(found[1])
    assert found[0]["evidence"][1] == f"equal to {named(3)}, which is kept because it is held out"
    assert found[0]["evidence"][0].startswith("shares 0.9")


def test_rows_without_words_are_only_ever_exact_copies(chat: Callable) -> None:
    found = find_duplicates([chat("?", "!"), chat("!", "?"), chat("?", "!")], 0.8)
    assert [(d.row, d.kept, d.exact) for d in found] == [(2, 0, True)]


def test_nothing_can_be_learned_once_it_was_looked_for(make_rows: Callable) -> None:
    learner = Duplicates(0.8)
    assert learner.find(turns_of(make_rows())).is_empty()
    with pytest.raises(ValueError, match="after find"):
        learner.learn(turns_of(make_rows()))
