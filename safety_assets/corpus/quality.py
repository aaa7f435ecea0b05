"""Answers that teach nothing: blank, too short, an echo of the question, or one phrase over and over.

An answer cut in mid-sentence is allowed: exports cut long answers, and the beginning still teaches.
"""

import zlib
from collections import Counter

from safety_assets.corpus.words import normalise, words

_MIN_WORDS = 2
_REPETITION_WORDS = 12
_MAX_WORD_SHARE = 0.5
_MAX_PHRASE_SHARE = 0.5
_PHRASE_WORDS = 4
_MIN_COMPRESSED_SHARE = 0.12


def quality_fault(question: str, answer: str) -> str | None:
    """What is wrong with an answer to the user turn before it, in words; None when nothing is."""
    if not answer.strip():
        return "the answer is blank"
    found = words(answer)
    if len(found) < _MIN_WORDS:
        return f"the answer has {len(found)} word{'' if len(found) == 1 else 's'}"
    if normalise(question) == " ".join(found):
        return "the answer is the question"
    return _repetition(found)


def _repetition(found: list[str]) -> str | None:
    if len(found) < _REPETITION_WORDS:
        return None
    word, count = Counter(found).most_common(1)[0]
    if count > _MAX_WORD_SHARE * len(found):
        return f"one word fills the answer: {word!r:.30}, {count} of {len(found)} words"
    phrases = Counter(tuple(found[i : i + _PHRASE_WORDS]) for i in range(len(found) - _PHRASE_WORDS + 1))
    phrase, count = phrases.most_common(1)[0]
    if count > 2 and count * _PHRASE_WORDS > _MAX_PHRASE_SHARE * len(found):
        return f"one phrase fills the answer: {' '.join(phrase)!r:.60}, {count} times"
    text = " ".join(found).encode()
    if len(text) > 400 and len(zlib.compress(text)) < _MIN_COMPRESSED_SHARE * len(text):
        return f"the answer repeats itself: {len(text)} bytes compress to {len(zlib.compress(text))}"
    return None
