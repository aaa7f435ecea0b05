"""Answers that are none: empty, repeating themselves, never ending."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from safety_assets.hashes import Hashed, repetition
from safety_assets.reading.hashed import WORD, find, in_rows

LONG = 60
"""Words from which an answer is long: the share of different words falls with length."""

REPEATS = "repeats itself"
EMPTY = "empty"

_PLAIN = bytes(ord(chr(c).lower()) if chr(c).isalnum() or chr(c) == "_" else 32 for c in range(128)) + bytes(128)
_KINDS = np.array([WORD if c > 127 or chr(c).isalnum() or chr(c) == "_" else 0 for c in range(256)], dtype=np.uint8)


def degenerate(text: str, finish: str = "stop") -> str:
    """Why an answer is no answer (empty, repeating itself, never ending), or an empty string.

    A long text repeats some phrase innocently: what counts is the share of the text that a phrase takes.
    """
    words = _words(text)
    if not words:
        return EMPTY
    grams = list(zip(words, words[1:], words[2:], strict=False))
    counts = Counter(grams)
    stutters = sum(a == b == c for a, b, c in grams)
    if grams and (counts.most_common(1)[0][1] >= max(3, len(grams) / 10) or stutters >= max(1, len(grams) / 20)):
        return REPEATS
    if len(counts) < 0.5 * len(grams):
        return REPEATS
    if finish == "length" and len(set(words)) < (0.5 if len(words) <= LONG else 0.3) * len(words):
        return "never ends"
    return ""


def faults(texts: Sequence[str]) -> list[str]:
    """What `degenerate` says of each of many answers that ended by themselves."""
    lowered = [text.lower() if text.isascii() else text for text in texts]
    words = find(lowered, cut=_words, kinds=_KINDS).hashed()
    grams = np.maximum(words.counts - 2, 0)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(grams)])
    different, commonest = repetition(Hashed(in_rows(words, 3).values, starts))
    repeats = commonest >= np.maximum(3, grams / 10)
    repeats |= _stutters(words) >= np.maximum(1, grams / 20)
    repeats |= different < 0.5 * grams
    names = np.array(["", REPEATS, EMPTY])
    return [str(name) for name in names[np.where(words.counts == 0, 2, repeats & (grams > 0))]]


def _stutters(words: Hashed) -> np.ndarray:
    """How often a word stands three times in a row in each text (texts,)."""
    values, owners = words.values, words.owners
    same = (values[:-2] == values[1:-1]) & (values[1:-1] == values[2:]) & (owners[:-2] == owners[2:])
    return np.bincount(owners[:-2][same], minlength=len(words.starts) - 1)


def _words(text: str) -> list[str]:
    """Runs of letters, digits and underscores, in lower case; of plain English text quickly."""
    if text.isascii():
        return text.encode("ascii").translate(_PLAIN).decode("ascii").split()
    return re.findall(r"\w+", text.lower())


def echoes(question: str, text: str) -> bool:
    """Whether an answer says what was asked, word for word, and nothing else."""
    if not question or abs(len(text) - len(question)) > len(question) / 2:
        return False
    words = _words(text)
    return bool(words) and words == _words(question)
