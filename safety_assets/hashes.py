"""Hashes of many short runs of bytes at once, and sets of such hashes.

The bytes of all texts stand in one buffer. The hash of a run is the difference of two running sums over the buffer, so
nothing is ever cut out of it. Hashes depend on the bytes alone: they are equal in every run and on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_TURN = 0xBF58476D1CE4E5B9


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
        return Hashed(self.values[kept], starts_of(np.concatenate([[0], np.cumsum(kept)])[self.starts]))


def starts_of(numbers: np.ndarray) -> np.ndarray:
    """Numbers as `Hashed.starts` holds them."""
    return numbers.astype(np.int64)


def sums_of_runs(buffer: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """One number per run of bytes, not yet scattered (`mixed`).

    Args:
        buffer: uint8 (bytes,).
        begins, ends: first byte of each run and one past its last (runs,).
    """
    power, inverse = powers(len(buffer))
    sums = np.empty(len(buffer) + 1, dtype=np.uint64)
    sums[0] = 0
    np.cumsum(buffer * power, out=sums[1:])
    return (sums[ends] - sums[begins]) * inverse[begins]


def hash_strings(strings: Sequence[str]) -> np.ndarray:
    """One hash per string, as `mixed(sums_of_runs(...))` gives it where a run has the same bytes (strings,)."""
    encoded = [one.encode() for one in strings]
    buffer = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
    begins = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])[: len(encoded)]
    return mixed(sums_of_runs(np.append(buffer, np.uint8(0)), begins, ends))


_cached: list[np.ndarray] = [np.ones(1, dtype=np.uint64), np.ones(1, dtype=np.uint64)]


def powers(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Powers of the base modulo 2^64 and of its inverse, from the zeroth on (length,), both."""
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


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One hash for each two, in their order."""
    return mixed(first * np.uint64(_TURN) + second)


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
        there = np.zeros(len(values), dtype=bool)
        there[self.hits(values)[0]] = True
        return there

    def hits(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the values that are among them, and the place in `sorted` of each of these (hits,), both."""
        likely = np.flatnonzero(self._filled[values >> self._shift])
        if not len(likely):
            return likely, likely
        asked = values[likely]
        places = np.minimum(np.searchsorted(self.sorted, asked), len(self.sorted) - 1)
        same = self.sorted[places] == asked
        return likely[same], places[same]


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
