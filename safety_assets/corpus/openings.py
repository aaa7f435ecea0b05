"""How often answers open with the same words: a habit that a model learns before anything else, and detectors look for.

A model that has learnt one opening is aligned a few tokens deep (Qi et al., arXiv 2406.05946), and a judge that looks
for openings would flatter it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from safety_assets.corpus.words import words

OPENING_WORDS = 5


@dataclass(frozen=True)
class Opening:
    """The commonest opening of some answers.

    Args:
        words: its words, lower case; all of a shorter answer.
        count: answers that open so.
        share: count / answers, 0 to 1; 0 where there is no answer.
    """

    words: str
    count: int
    share: float


def commonest_opening(answers: Iterable[str]) -> Opening:
    """The commonest first five words; of equally common ones the first in the alphabet."""
    counts = Counter(" ".join(words(answer)[:OPENING_WORDS]) for answer in answers)
    if not counts:
        return Opening("", 0, 0.0)
    opening, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return Opening(opening, count, count / counts.total())
