"""What the model of answers is shown: signs of the rules, and the words that an answer opens with."""

from collections.abc import Sequence
from itertools import pairwise

from safety_assets.reading import signs
from safety_assets.reading.fold import tokens
from safety_assets.reading.hashed import Listed, at_the_beginning, find, in_rows, listed, of_names, singly
from safety_assets.reading.linear import Features

READ = 1600
"""Characters of an answer that are read: what it does is said by then, or it helps."""

WORDS = 80
"""Words and marks from the first one on that are shown, singly and in pairs."""

PLACED = 8
"""Of these, words whose pairs are shown once more as said at the very beginning."""

_BEFORE = of_names(["^ ^"])[0]  # of the first word
_CHARACTERS = 500  # hold WORDS words and marks
_LENGTHS = (4, 12, 30)
_LONG = 1200


def answer_features(folded: Sequence[str]) -> list[Features]:
    """Signs and words of answers that were folded (`fold`), spelled out: what a model is fitted to and explained by."""
    read = [text[:READ].strip() for text in folded]
    return [_features(text, seen) for text, seen in zip(read, signs.weighed(read), strict=True)]


def answer_hashes(folded: Sequence[str]) -> tuple[Listed, list[list[str]]]:
    """The same words, hashed, and the same signs: for many answers."""
    read = [text[:READ].strip() for text in folded]
    words = find([text[:_CHARACTERS] for text in read], WORDS).hashed()
    placed = at_the_beginning(words, PLACED, _BEFORE)
    seen = zip(read, signs.weighed(read), words.counts.tolist(), strict=True)
    return listed(singly(words), in_rows(words, 2), placed), [[*own, *_length(text, n)] for text, own, n in seen]


def _features(read: str, seen: Sequence[str]) -> Features:
    words = tokens(read[:_CHARACTERS])[:WORDS]
    pairs = map(" ".join, pairwise(words))
    placed = [f"^ {a} {b}" for a, b in zip(["^", *words[: PLACED - 1]], words[:PLACED], strict=False)]
    return Features([*seen, *_length(read, len(words))], [*words, *pairs, *placed])


def _length(folded: str, words: int) -> list[str]:
    if len(folded) > _LONG:
        return ["long"]
    return [f"over_{n}_words" for n in _LENGTHS if words > n][-1:]
