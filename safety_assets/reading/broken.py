"""Answers that are none: empty, repeating themselves, never ending."""

import re
from collections import Counter
from operator import eq

LONG = 60
"""Words from which an answer is long: the share of different words falls with length."""


_PLAIN = bytes(ord(chr(c).lower()) if chr(c).isalnum() or chr(c) == "_" else 32 for c in range(128)) + bytes(128)


def degenerate(text: str, finish: str = "stop") -> str:
    """Why an answer is no answer (empty, repeating itself, never ending), or an empty string.

    A long text repeats some phrase innocently: what counts is the share of the text that a phrase takes.
    """
    words = _words(text)
    if not words:
        return "empty"
    if _varied(words) and finish != "length":
        return ""
    grams = list(zip(words, words[1:], words[2:], strict=False))
    counts = Counter(grams)
    stutters = sum(a == b == c for a, b, c in grams)
    if grams and (counts.most_common(1)[0][1] >= max(3, len(grams) / 10) or stutters >= max(1, len(grams) / 20)):
        return "repeats itself"
    if len(counts) < 0.5 * len(grams):
        return "repeats itself"
    if finish == "length" and len(set(words)) < (0.5 if len(words) <= LONG else 0.3) * len(words):
        return "never ends"
    return ""


def _words(text: str) -> list[str]:
    """Runs of letters, digits and underscores, in lower case; of plain English text quickly."""
    if text.isascii():
        return text.encode("ascii").translate(_PLAIN).decode("ascii").split()
    return re.findall(r"\w+", text.lower())


def _varied(words: list[str]) -> bool:
    """Whether no phrase can fill the answer: few grams are there twice, and no word follows itself."""
    following = words[1:]
    number = max(0, len(words) - 2)
    repeats = number - len(set(zip(words, following, words[2:], strict=False)))
    return repeats + 1 < max(3, number / 10) and not any(map(eq, words, following))


def echoes(question: str, text: str) -> bool:
    """Whether an answer says what was asked, word for word, and nothing else."""
    if not question or abs(len(text) - len(question)) > len(question) / 2:
        return False
    words = _words(text)
    return bool(words) and words == _words(question)
