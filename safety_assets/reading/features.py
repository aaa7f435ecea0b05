"""What the model of answers is shown: signs of the rules, and the words that an answer opens with."""

from itertools import pairwise

from safety_assets.reading import signs
from safety_assets.reading.fold import tokens
from safety_assets.reading.linear import Features

READ = 1600
"""Characters of an answer that are read: what it does is said by then, or it helps."""

WORDS = 80
"""Words and marks from the first one on that are shown, singly and in pairs."""

PLACED = 8
"""Of these, words whose pairs are shown once more as said at the very beginning."""

_CHARACTERS = 500  # hold WORDS words and marks
_LENGTHS = (4, 12, 30)
_LONG = 1200


def answer_features(folded: str) -> Features:
    """Signs and words of one answer that was folded (`fold`)."""
    folded = folded[:READ].strip()
    words = tokens(folded[:_CHARACTERS])[:WORDS]
    pairs = map(" ".join, pairwise(words))
    placed = [f"^ {a} {b}" for a, b in zip(["^", *words[: PLACED - 1]], words[:PLACED], strict=False)]
    return Features([*signs.weighed(folded), *_length(folded, len(words))], [*words, *pairs, *placed])


def _length(folded: str, words: int) -> list[str]:
    if len(folded) > _LONG:
        return ["long"]
    return [f"over_{n}_words" for n in _LENGTHS if words > n][-1:]
