"""Which of many questions a text may repeat: an index of hashes, and how much of each question is in the text.

A question is looked up by its shingles, as many of the rarest as any text must share that holds enough of them; and by
pieces of it, so many that a few edits leave one whole: its content words cut into groups, or halves of all its words
where it has few. The order of words inside a piece does not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl

from safety_assets.corpus.edited import MISSPELT, SMALL_WORDS, allowed_edits
from safety_assets.corpus.hashed import Marked, hash_each, hash_words, runs, windows
from safety_assets.corpus.words import STOP_WORDS
from safety_assets.hashes import Hashed, HashSet, mixed

_GROUP = 4
_FEW_CONTENT_WORDS = 3
_LONGEST_WHOLE = 8


@dataclass(frozen=True)
class Shared:
    """What some texts share with some questions, one entry per pair.

    Args:
        text, question: positions (pairs,).
        shingles: share of the question's 3-word shingles that are in the text.
        content: share of its content words that are.
        edited: whether so few content words are missing that they may be misspelt.
    """

    text: np.ndarray
    question: np.ndarray
    shingles: np.ndarray
    content: np.ndarray
    edited: np.ndarray


class Asked:
    """An index of questions.

    Args:
        questions: their words, in lower case with single spaces between them.
        threshold: share of a question's shingles from which on a text must be found, 0 < threshold <= 1.
    """

    def __init__(self, questions: pl.Series, threshold: float) -> None:
        self._small = HashSet(hash_each(SMALL_WORDS))
        found = hash_words(questions)
        self._shingles = distinct(runs(found))
        self._content = distinct(found.only(~HashSet(hash_each(STOP_WORDS)).has(found.values)))
        content = found.only(~self._small.has(found.values))
        self._subject = distinct(content)
        budgets = np.array([allowed_edits(int(n)) for n in found.counts])
        self._may_miss = np.where(
            self._subject.counts > 1, np.minimum(budgets / MISSPELT, self._subject.counts - 1), -1
        )
        whole, halves = list(_of_content(content)), list(_of_words(found, content.counts, self._small))
        self._lengths = sorted({n for _, n, _ in whole}), sorted({n for _, n, _ in halves})
        keys = [(question, _piece(values)) for question, _, values in [*whole, *halves]]
        rare = _rarest(self._shingles, threshold)
        owners = np.concatenate([self._shingles.owners[rare], np.array([q for q, _ in keys], dtype=np.int64)])
        hashes = np.concatenate([self._shingles.values[rare], mixed(np.array([k for _, k in keys], dtype=np.uint64))])
        order = np.lexsort((owners, hashes))
        self._keys, self._owners = HashSet(hashes), owners[order]
        self._begins = np.append(np.searchsorted(hashes[order], self._keys.sorted), len(owners))

    def compare(self, found: Hashed) -> Shared:
        """What the words of at most 2^16 texts share with the questions that they may repeat."""
        text, question = self._pairs(found)
        shingles = _marked(runs(found), text).count(text, self._shingles, question) / self._shingles.counts[question]
        spoken = _marked(found, text)
        content = spoken.count(text, self._content, question) / self._content.counts[question]
        missing = self._subject.counts[question] - spoken.count(text, self._subject, question)
        return Shared(text, question, shingles, content, missing <= self._may_miss[question])

    def _pairs(self, found: Hashed) -> tuple[np.ndarray, np.ndarray]:
        """Text and question of every pair that shares a key, each pair once."""
        content = found.only(~self._small.has(found.values))
        looked_up = [runs(found), *(windows(content, n) for n in self._lengths[0])]
        looked_up += [windows(found, n) for n in self._lengths[1]]
        codes = [np.empty(0, dtype=np.int64)]
        for hashed in looked_up:
            hit, key = self._keys.hits(hashed.values)
            text = hashed.owners[hit]
            counts = self._begins[key + 1] - self._begins[key]
            ends = np.cumsum(counts)
            places = np.arange(counts.sum()) + np.repeat(self._begins[key] - (ends - counts), counts)
            codes.append(np.unique((np.repeat(text, counts) << 32) | self._owners[places]))
        both = np.unique(np.concatenate(codes))
        return both >> 32, both & 0xFFFFFFFF


def _marked(found: Hashed, texts: np.ndarray) -> Marked:
    """The hashes of these texts, each named once or more."""
    wanted = np.zeros(len(found.starts) - 1, dtype=bool)
    wanted[texts] = True
    return Marked(found.only(np.repeat(wanted, found.counts)))


Piece = tuple[int, int, np.ndarray]
"""Position of a question, number of words and their hashes."""


def _of_content(content: Hashed) -> Iterator[Piece]:
    """Groups of the content words of each question, of two words at least, and all of them where they are few."""
    for question, values in enumerate(_split(content)):
        count = len(values)
        if 2 <= count <= _LONGEST_WHOLE:
            yield question, count, values
        if count > _FEW_CONTENT_WORDS:
            groups = 2 if count < 6 else max(3, ceil(count / _GROUP))
            yield from ((question, len(part), part) for part in np.array_split(values, groups) if len(part) < count)


def _of_words(found: Hashed, content: np.ndarray, small: HashSet) -> Iterator[Piece]:
    """Halves of the words of each question of few content words, where a half has one of these."""
    for question, values in enumerate(_split(found)):
        if content[question] <= _FEW_CONTENT_WORDS:
            halves = [half for half in np.array_split(values, 2) if len(half) > 1 and not small.has(half).all()]
            yield from ((question, len(half), half) for half in halves)


def _split(found: Hashed) -> Sequence[np.ndarray]:
    return [found.values[begin:end] for begin, end in zip(found.starts[:-1], found.starts[1:], strict=True)]


def _piece(values: np.ndarray) -> int:
    """What `windows` finds where the words of a piece stand together, before it is scattered."""
    return (int(values.sum()) + len(values)) & (2**64 - 1)


def distinct(found: Hashed) -> Hashed:
    """Every hash once per text, in ascending order."""
    order = np.lexsort((found.values, found.owners))
    values, owners = found.values[order], found.owners[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])
    return Hashed(values, found.starts).only(first)


def _rarest(shingles: Hashed, threshold: float) -> np.ndarray:
    """Those shingles of each question, rare ones first, of which a text has one if it has `threshold` of all."""
    _, kind, counts = np.unique(shingles.values, return_inverse=True, return_counts=True)
    order = np.lexsort((shingles.values, counts[kind], shingles.owners))
    sizes = shingles.counts
    wanted = sizes - np.ceil((threshold - 1e-9) * sizes).astype(np.int64) + 1
    place = np.arange(len(order)) - np.repeat(shingles.starts[:-1], sizes)
    return order[place < np.repeat(wanted, sizes)]
