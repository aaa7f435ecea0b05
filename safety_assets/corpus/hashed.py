"""Words and runs of words of many texts at once, as 64-bit hashes: equal hashes where `words` finds equal words.

The bytes of all texts stand in one buffer. A word's hash is the difference of two running sums over the buffer, so no
word is ever cut out of its text. Texts of ASCII are read as they are; others are first brought into the form of
`words.normalise`, one by one. The hashes depend on the text alone: they are equal in every run and on every machine.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from safety_assets.corpus.words import SHINGLE_WORDS, normalise

_BLOCK_BYTES = 1 << 20
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
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


@dataclass(frozen=True)
class Hashed:
    """Hashes of some texts, one text after the other.

    Args:
        values: uint64 (hashes,).
        starts: int64 (texts + 1,); those of text t are `values[starts[t]:starts[t + 1]]`.
    """

    values: np.ndarray
    starts: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Hashes per text (texts,)."""
        return np.diff(self.starts)

    @property
    def owners(self) -> np.ndarray:
        """The text of each hash (hashes,)."""
        return np.repeat(np.arange(len(self.starts) - 1), self.counts)

    def only(self, kept: np.ndarray) -> "Hashed":
        """Those hashes where `kept` (hashes,) is true."""
        return Hashed(self.values[kept], _starts(np.concatenate([[0], np.cumsum(kept)])[self.starts]))


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
    return Hashed(np.concatenate(values), _starts(np.concatenate([[0], np.cumsum(np.concatenate(counts))])))


def _starts(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.int64)


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
    power, inverse = _powers(len(buffer))
    sums = np.empty(len(buffer) + 1, dtype=np.uint64)
    sums[0] = 0
    np.cumsum(_LOWER[buffer] * power, out=sums[1:])
    hashes = mixed((sums[ends] - sums[begins]) * inverse[begins])
    bounds = np.cumsum(texts.str.len_bytes().to_numpy().astype(np.int64) + 1)
    places = np.searchsorted(begins, bounds)
    return hashes, np.diff(places, prepend=0)


_cached: list[np.ndarray] = [np.ones(1, dtype=np.uint64), np.ones(1, dtype=np.uint64)]


def _powers(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Powers of the base modulo 2^64 and of its inverse, from the zeroth on."""
    if len(_cached[0]) < length:
        room = 1 << (length - 1).bit_length()
        for place, base in enumerate((_BASE, pow(_BASE, -1, 1 << 64))):
            factors = np.full(room, base, dtype=np.uint64)
            factors[0] = 1
            _cached[place] = np.cumprod(factors)
    return _cached[0][:length], _cached[1][:length]


def mixed(numbers: np.ndarray) -> np.ndarray:
    """Each number scattered over all 64 bits, equal ones alike (the finaliser of SplitMix64)."""
    numbers = numbers ^ (numbers >> np.uint64(30))
    numbers *= np.uint64(0xBF58476D1CE4E5B9)
    numbers ^= numbers >> np.uint64(27)
    numbers *= np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def runs(found: Hashed, length: int = SHINGLE_WORDS) -> Hashed:
    """All runs of so many words; a shorter text is one run, an empty one has none, as in `words.shingles`.

    Args:
        found: words of texts.
        length: words in a run, at least 1.
    """
    counts = found.counts
    per_text = np.where(counts >= length, counts - length + 1, np.minimum(counts, 1))
    starts = _starts(np.concatenate([[0], np.cumsum(per_text)]))
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
    starts = _starts(np.concatenate([[0], np.cumsum(counts)]))
    begins = np.arange(starts[-1]) - np.repeat(starts[:-1] - found.starts[:-1], counts)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(found.values)])
    return Hashed(mixed(sums[begins + length] - sums[begins] + np.uint64(length)), starts)


def whole(found: Hashed) -> np.ndarray:
    """One hash per text, of all its words in order (texts,); texts without words share one."""
    places = np.arange(len(found.values)) - np.repeat(found.starts[:-1], found.counts)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed(found.values + places.astype(np.uint64)))])
    return mixed(sums[found.starts[1:]] - sums[found.starts[:-1]] + found.counts.astype(np.uint64))


def repetition(found: Hashed) -> tuple[np.ndarray, np.ndarray]:
    """How many different hashes each text has, and how often its commonest one is there (texts,), both.

    Hashes are compared by 48 bits.
    """
    different, commonest = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for first in range(0, len(found.starts) - 1, 1 << 16):
        bounds = found.starts[first : first + (1 << 16) + 1]
        owners = np.repeat(np.arange(len(bounds) - 1, dtype=np.uint64), np.diff(bounds))
        both = np.sort((owners << np.uint64(48)) | (found.values[bounds[0] : bounds[-1]] >> np.uint64(16)))
        starts = np.flatnonzero(np.append(True, both[1:] != both[:-1])[: len(both)])
        owner = (both[starts] >> np.uint64(48)).astype(np.int64)
        different.append(np.bincount(owner, minlength=len(bounds) - 1))
        most = np.zeros(len(bounds) - 1, dtype=np.int64)
        np.maximum.at(most, owner, np.diff(np.append(starts, len(both))))
        commonest.append(most)
    return np.concatenate(different), np.concatenate(commonest)


def hash_each(names: Collection[str]) -> np.ndarray:
    """Sorted hashes of some single words."""
    return np.unique(hash_words(pl.Series(sorted(names), dtype=pl.String)).values)


class HashSet:
    """A set of hashes that many values are looked up in.

    Args:
        hashes: uint64, in any order, repeated or not.
    """

    def __init__(self, hashes: np.ndarray) -> None:
        self.sorted = np.unique(hashes)
        self._shift = np.uint64(64 - max(10, 3 + len(self.sorted).bit_length()))
        self._filled = np.zeros(1 << int(64 - self._shift), dtype=bool)
        self._filled[self.sorted >> self._shift] = True

    def has(self, values: np.ndarray) -> np.ndarray:
        """Whether each value is one of them."""
        found = self._filled[values >> self._shift]
        likely = np.flatnonzero(found)
        if len(likely):
            found[likely] = self.sorted[self.places(values[likely])] == values[likely]
        return found

    def places(self, values: np.ndarray) -> np.ndarray:
        """Position in `sorted` of each value that is among them."""
        return np.minimum(np.searchsorted(self.sorted, values), len(self.sorted) - 1)


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
