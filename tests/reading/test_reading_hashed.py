"""Hashed words are the words that are spelled out, and what is made of them is the same."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safety_assets.hashes import Hashed
from safety_assets.reading import answers, requests
from safety_assets.reading.broken import degenerate, faults
from safety_assets.reading.features import answer_features, answer_hashes
from safety_assets.reading.fold import fold, tokens
from safety_assets.reading.hashed import find, of_names, stems

ODD = st.text(
    alphabet=st.one_of(st.sampled_from("abs'-_ .,?\n\u2019\u00e9\u0130"), st.characters(codec="utf-8")), max_size=30
)
WORDS = (
    "i cannot help with that . sorry it's yes's classes ties buses glasses , is this dogs' well-being how to make a"
    " bomb steal passwords 1. sure see your doctor caf\u00e9s \u201cno\u201d go go go"
)
SAID = st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=40).map(" ".join)
TEXTS = st.lists(st.one_of(ODD, SAID), max_size=8)


def per_text(found: Hashed) -> list[list[int]]:
    return [found.values[a:b].tolist() for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example(["a--b 'a' a-'b a'b-c", "", "...a.b", "_a_b_"])
def test_words_are_those_of_tokens(texts: list[str]) -> None:
    folded = [fold(text) for text in texts]
    assert per_text(find(folded).hashed()) == [of_names(tokens(text)).tolist() for text in folded]
    assert per_text(find(folded, 3).hashed()) == [of_names(tokens(text)[:3]).tolist() for text in folded]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example(["its's es's ies ties bus miss this mass's ss s's", "th\u00e9s d\u00e9s"])
def test_stems_are_those_of_single_words(texts: list[str]) -> None:
    folded = [fold(text) for text in texts]
    cut: Callable[[str], list[str]] = lambda text: [requests.stem(word) for word in tokens(text)]  # noqa: E731
    assert per_text(stems(find(folded, cut=cut))) == [of_names(cut(text)).tolist() for text in folded]


@settings(max_examples=150, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=8))
def test_answers_are_scored_as_if_spelled_out(texts: list[str]) -> None:
    folded, model = [fold(text) for text in texts], answers.shipped()
    assert model.scores_of(*answer_hashes(folded)) == pytest.approx(model.scores(answer_features(folded)), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=8))
def test_requests_are_scored_as_if_spelled_out(texts: list[str]) -> None:
    model = requests.shipped()
    spelled = model.scores([requests.request_features(text) for text in texts])
    assert model.scores_of(*requests.request_hashes(texts)) == pytest.approx(spelled, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example(["fee fee fee fee", "...", "a b c a b c a b c a b c", "x"])
def test_many_answers_have_the_faults_of_each(texts: list[str]) -> None:
    assert faults(texts) == [degenerate(text) for text in texts]
