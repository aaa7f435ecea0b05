"""MinHash: short signatures of sets whose share of equal places estimates the sets' Jaccard index (Broder 1997).

A signature holds the smallest value under each of 128 hash functions, and of that its lower 16 bits, which differ by
chance for one in 65,536 pairs of unlike places. The functions are `(x ^ a) * b` modulo 2^32 with fixed random a and odd
b, over hashes that are well scattered already.
"""

import numpy as np

NUM_HASHES = 128
RECALL = 0.999

_GENERATOR = np.random.default_rng(0)
_OFFSETS = _GENERATOR.integers(0, 1 << 32, NUM_HASHES, dtype=np.uint32)
_FACTORS = _GENERATOR.integers(0, 1 << 32, NUM_HASHES, dtype=np.uint32) | np.uint32(1)
_BLOCK = 1 << 18


def signatures(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Signatures of sets (sets, 128), uint16; that of an empty set is all zeros and says nothing.

    Args:
        values: uint64 hashes of the members, one set after the other.
        starts: int64 (sets + 1,); the members of set s are `values[starts[s]:starts[s + 1]]`.
    """
    made = np.zeros((len(starts) - 1, NUM_HASHES), dtype=np.uint16)
    filled = np.flatnonzero(np.diff(starts) > 0)
    short = values.astype(np.uint32)
    first = 0
    while first < len(filled):
        begin = starts[filled[first]]
        last = max(first + 1, int(np.searchsorted(starts[filled + 1], begin + _BLOCK, side="right")))
        rows = filled[first:last]
        block = short[begin : starts[rows[-1] + 1]]
        made[rows] = _smallest(block, starts[rows] - begin)
        first = last
    return made


def _smallest(block: np.ndarray, starts: np.ndarray) -> np.ndarray:
    found = np.empty((NUM_HASHES, len(starts)), dtype=np.uint32)
    room = np.empty_like(block)
    for n in range(NUM_HASHES):
        np.bitwise_xor(block, _OFFSETS[n], out=room)
        np.multiply(room, _FACTORS[n], out=room)
        np.minimum.reduceat(room, starts, out=found[n])
    return found.T.astype(np.uint16)


def estimates(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Estimated Jaccard index of each pair of signatures (pairs, 128): the share of equal places."""
    return (left == right).mean(axis=1)


def margin(threshold: float) -> float:
    """Four standard errors of the estimate for a pair at the threshold."""
    return 4.0 * (threshold * (1 - threshold) / NUM_HASHES) ** 0.5


def rows_per_band(threshold: float) -> int:
    """The longest band that still brings a pair at the threshold together with probability 0.999."""
    fitting = [r for r in range(1, 17) if 1 - (1 - threshold**r) ** (NUM_HASHES // r) >= RECALL]
    return max(fitting, default=1)
