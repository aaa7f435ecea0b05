"""How far a text is from repeating a question with small edits: a typing error, a small word more or less, two swapped.

The question is laid over the stretch of the text that fits it best. A word that says what the question is about may be
misspelt but neither missing nor another one: "open my account" and "close my account" are different questions.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf

from safety_assets.corpus.words import STOP_WORDS, words

_COURTESY = """hello hi hey dear greetings regards good morning afternoon evening day thank thanks many much sorry
    excuse pardon quick question thing brief hurry urgent"""
SMALL_WORDS = STOP_WORDS | frozenset(words(_COURTESY))
"""Words that say how something is asked, and words of courtesy around it."""

MISSPELT = 0.5
SMALL_EDIT = 1.0
"""A small word replaced, left out or put in, any word put in, or two neighbours swapped."""

_MIN_LETTERS = 4
_WORDS_PER_EDIT = 8


def allowed_edits(num_words: int) -> float:
    """Cost up to which a question of so many words counts as repeated: one edit, from 16 words on one per 8 words."""
    return max(SMALL_EDIT, num_words / _WORDS_PER_EDIT)


def edits(question: Sequence[str], text: Sequence[str]) -> float:
    """Cost of the edits between a question and the stretch of a text that fits it best; infinite where none fits.

    Args:
        question, text: lower-case words.
    """
    if any(not _there(word, text) for word in question if word not in SMALL_WORDS):
        return inf
    before: list[float] = []
    row = [0.0] * (len(text) + 1)  # cost of the question's words so far, ending before each word of the text
    for place, word in enumerate(question):
        without = SMALL_EDIT if word in SMALL_WORDS else inf
        inside = SMALL_EDIT if place < len(question) - 1 else inf
        new = [row[0] + without]
        for other, found in enumerate(text):
            cost = min(row[other] + _replaced(word, found), row[other + 1] + without, new[other] + inside)
            if before and other and word == text[other - 1] and question[place - 1] == found:
                cost = min(cost, before[other - 1] + SMALL_EDIT)
            new.append(cost)
        before, row = row, new
    return min(row)


def _there(word: str, text: Sequence[str]) -> bool:
    return word in text or any(misspelt(word, found) for found in text)


def _replaced(word: str, found: str) -> float:
    if word == found:
        return 0.0
    if misspelt(word, found):
        return MISSPELT
    return SMALL_EDIT if word in SMALL_WORDS and found in SMALL_WORDS else inf


@lru_cache(maxsize=1 << 16)
def misspelt(word: str, other: str) -> bool:
    """Whether one letter more, less or other, or two neighbours swapped, make one word of the other; no numbers."""
    if word == other or max(len(word), len(other)) < _MIN_LETTERS or abs(len(word) - len(other)) > 1:
        return False
    if any(character.isdigit() for character in word + other):
        return False
    same = next((i for i, pair in enumerate(zip(word, other, strict=False)) if pair[0] != pair[1]), None)
    if same is None:
        return True
    if len(word) != len(other):
        longer, shorter = sorted((word, other), key=len, reverse=True)
        return longer[same + 1 :] == shorter[same:]
    swapped = word[same + 1 : same + 2] + word[same : same + 1] + word[same + 2 :]
    return word[same + 1 :] == other[same + 1 :] or swapped == other[same:]
