"""Words and runs of words of many texts at once, as 64-bit hashes: equal hashes where `words` finds equal words.

Texts of ASCII are read as they are; others are first brought into the form of `words.normalise`, one by one.
"""

from collections.abc import Collection, Iterator

import numpy as np
import polars as pl

from safety_assets.corpus.words import SHINGLE_WORDS, normalise
from safety_assets.hashes import Hashed, HashSet, mixed, starts_of, sums_of_runs

_BLOCK_BYTES = 1 << 20
_TURN = 0xBF58476D1CE4E5B9
_WORD, _APOSTROPHE = 1, 2


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Per byte: its lower case, and whether it belongs to words (bytes over 127 only occur in normalised texts)."""
    lower, kind = np.arange(256, dtype=np.uint8), np.zeros(256, dtype=np.uint8)
    for byte in range(256):
        character = chr(byte)
        if byte > 127 or character.isalnum():
            kind[byte] = _WORD
        if byte < 128:
            lower[byte] = ord(character.lower())
    kind[ord("'")] = _APOSTROPHE
    return lower, kind


_LOWER, _KIND = _tables()


def hash_words(texts: pl.Series) -> Hashed:
    """The words of each text; `words.words` finds the same words in the same order.

    Args:
        texts: strings without nulls.
    """
    plain = texts.str.len_bytes() == texts.str.len_chars()
    if not plain.all():
        folded = texts.filter(~plain).map_elements(normalise, return_dtype=pl.String)
        texts = texts.scatter((~plain).arg_true(), folded)
    values, counts = [], []
    for block in _blocks(texts):
        hashes, per_text = _hash_block(block)
        values.append(hashes)
        counts.append(per_text)
    if not values:
        return Hashed(np.empty(0, dtype=np.uint64), np.zeros(1, dtype=np.int64))
    return Hashed(np.concatenate(values), starts_of(np.concatenate([[0], np.cumsum(np.concatenate(counts))])))


def _blocks(texts: pl.Series) -> Iterator[pl.Series]:
    """Slices of about a mebibyte each, which the caches hold."""
    ends = texts.str.len_bytes().cum_sum().to_numpy()
    first = 0
    while first < len(texts):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _BLOCK_BYTES, side="right")))
        yield texts.slice(first, last - first)
        first = last


def _hash_block(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all words of a block (words,), and the number of words per text (texts,)."""
    buffer = np.frombuffer(("\n" + "\n".join(texts.to_list()) + "\n").encode(), dtype=np.uint8)
    kind = _KIND[buffer]
    word = kind == _WORD
    inner = kind[1:-1] == _APOSTROPHE
    inner &= word[:-2] & word[2:]
    word[1:-1] |= inner  # an apostrophe between two letters stays inside its word
    edges = np.flatnonzero(word[1:] != word[:-1]) + 1
    begins, ends = edges[::2], edges[1::2]
    hashes = mixed(sums_of_runs(_LOWER[buffer], begins, ends))
    bounds = np.cumsum(texts.str.len_bytes().to_numpy().astype(np.int64) + 1)
    places = np.searchsorted(begins, bounds)
    return hashes, np.diff(places, prepend=0)


def runs(found: Hashed, length: int = SHINGLE_WORDS) -> Hashed:
    """All runs of so many words; a shorter text is one run, an empty one has none, as in `words.shingles`.

    Args:
        found: words of texts.
        length: words in a run, at least 1.
    """
    counts = found.counts
    per_text = np.where(counts >= length, counts - length + 1, np.minimum(counts, 1))
    starts = starts_of(np.concatenate([[0], np.cumsum(per_text)]))
    begins = np.arange(starts[-1]) - np.repeat(starts[:-1] - found.starts[:-1], per_text)
    room = np.repeat(found.starts[1:], per_text) - begins  # words from here to the end of the text
    padded = np.concatenate([found.values, np.zeros(length, dtype=np.uint64)])
    total = np.zeros(len(begins), dtype=np.uint64)
    for step in range(length):
        factor = np.uint64(pow(_TURN, step, 1 << 64))
        total += np.where(room > step, padded[begins + step] * factor, np.uint64(0))
    return Hashed(mixed(total), starts)


def windows(found: Hashed, length: int) -> Hashed:
    """All runs of exactly so many words, whatever their order within the run; none in a shorter text."""
    counts = np.maximum(found.counts - length + 1, 0)
    starts = starts_of(np.concatenate([[0], np.cumsum(counts)]))
    begins = np.arange(starts[-1]) - np.repeat(starts[:-1] - found.starts[:-1], counts)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(found.values)])
    return Hashed(mixed(sums[begins + length] - sums[begins] + np.uint64(length)), starts)


def whole(found: Hashed) -> np.ndarray:
    """One hash per text, of all its words in order (texts,); texts without words share one."""
    places = np.arange(len(found.values)) - np.repeat(found.starts[:-1], found.counts)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed(found.values + places.astype(np.uint64)))])
    return mixed(sums[found.starts[1:]] - sums[found.starts[:-1]] + found.counts.astype(np.uint64))


def hash_each(names: Collection[str]) -> np.ndarray:
    """Sorted hashes of some single words."""
    return np.unique(hash_words(pl.Series(sorted(names), dtype=pl.String)).values)


class Marked:
    """Which of some texts' hashes are there: pairs of a text and a hash, looked up by many such pairs at once.

    Args:
        found: hashes of at most 2^16 texts.
    """

    def __init__(self, found: Hashed) -> None:
        self._known = HashSet(_in_text(found.owners, found.values))

    def count(self, texts: np.ndarray, asked: Hashed, sets: np.ndarray) -> np.ndarray:
        """How many hashes of a set stand in a text (pairs,).

        Args:
            texts: position of a text per pair.
            asked: some sets of hashes, each hash once per set.
            sets: position of a set per pair.
        """
        counts = asked.counts[sets]
        ends = np.cumsum(counts)
        places = np.arange(counts.sum()) + np.repeat(asked.starts[sets] - (ends - counts), counts)
        there = self._known.has(_in_text(np.repeat(texts, counts), asked.values[places]))
        return np.diff(np.concatenate([[0], np.cumsum(there)])[np.concatenate([[0], ends])])


def _in_text(texts: np.ndarray, values: np.ndarray) -> np.ndarray:
    return mixed(values ^ (texts.astype(np.uint64) << np.uint64(48)))
