from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safety_assets.corpus.hashed import Marked, hash_each, hash_words, runs, whole, windows
from safety_assets.corpus.words import normalise, shingles, words
from safety_assets.hashes import Hashed, HashSet

TEXT = st.text(
    alphabet=st.one_of(st.sampled_from("ab'\u2019_ .-\u00df\u4e00\ufb01\u0130"), st.characters(codec="utf-8")),
    max_size=30,
)
TEXTS = st.lists(TEXT, max_size=12)


def per_text(found: Hashed) -> list[list[int]]:
    return [found.values[a:b].tolist() for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]


def hashed(texts: list[str]) -> Hashed:
    return hash_words(pl.Series(texts, dtype=pl.String))


def one_to_one(left: list, right: list) -> bool:
    """Whether equal things on one side stand beside equal things on the other."""
    return len(set(left)) == len(set(right)) == len(set(zip(left, right, strict=True)))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example(["rock'n'roll ''a' b''c", "", "_", "STRASSE", "stra\u00dfe", "it\u2019s", "it's"])
def test_hashes_are_those_of_the_words(texts: list[str]) -> None:
    expected = [words(text) for text in texts]
    found = per_text(hashed(texts))
    assert [len(f) for f in found] == [len(e) for e in expected]
    assert one_to_one([w for e in expected for w in e], [h for f in found for h in f])


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_runs_are_the_shingles(texts: list[str]) -> None:
    found = [set(f) for f in per_text(runs(hashed(texts)))]
    expected = [shingles(text) for text in texts]
    assert [len(f) for f in found] == [len(e) for e in expected]
    assert len(set().union(*found)) == len(set().union(*expected))


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_texts_of_the_same_words_are_equal_as_a_whole(texts: list[str]) -> None:
    assert one_to_one([normalise(text) for text in texts], whole(hashed(texts)).tolist())


def test_windows_forget_the_order_inside_and_nothing_else() -> None:
    found = per_text(windows(hashed(["a b c", "b a c", "c a", "a"]), 2))
    assert found[0][0] == found[1][0]
    assert found[1][1] == found[2][0]
    assert found[0][1] != found[1][1]
    assert found[3] == []


def test_a_text_longer_than_a_block_stands_beside_short_ones() -> None:
    long = "word other " * 120_000
    found = per_text(hashed(["word", long, "other"]))
    assert [len(f) for f in found] == [1, 240_000, 1]
    assert found[1][:2] == [*found[0], *found[2]]
    assert len(set(found[1])) == 2


def test_hashes_are_equal_in_every_run() -> None:
    assert hashed(["Rome", "rome!"]).values.tolist() == [8008676466394910338] * 2


def test_only_keeps_what_is_asked_for_in_its_text() -> None:
    found = hashed(["a b a", "", "b", "c a"])
    kept = found.only(HashSet(hash_each({"a", "x"})).has(found.values))
    assert kept.counts.tolist() == [2, 0, 0, 1]
    assert kept.owners.tolist() == [0, 0, 3]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1)), st.lists(st.integers(0, 2**64 - 1)))
def test_what_is_known_is_found(known: list[int], others: list[int]) -> None:
    asked = np.array(known + others, dtype=np.uint64)
    found = HashSet(np.array(known, dtype=np.uint64)).has(asked)
    assert found.tolist() == [value in set(known) for value in asked.tolist()]


def test_members_of_a_set_are_counted_in_each_text() -> None:
    marked = Marked(hashed(["a b a", "", "b c"]))
    asked = hashed(["a b", "x", "b c d"])
    texts, sets = np.array([0, 0, 1, 2, 2]), np.array([0, 2, 0, 2, 1])
    assert marked.count(texts, asked, sets).tolist() == [2, 1, 0, 2, 0]
    assert marked.count(texts[:0], asked, sets[:0]).tolist() == []


@pytest.mark.parametrize("made", [runs, whole])
def test_no_texts_have_no_hashes(made: Callable) -> None:
    found = made(hashed([]))
    assert len(found.values if isinstance(found, Hashed) else found) == 0
