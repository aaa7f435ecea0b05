"""Copies and near-copies: MinHash finds candidates, the exact Jaccard index of word shingles decides.

Rows are taken in order. A row is a near duplicate when it is near a row that was kept, so that no two kept rows are
near one another and every dropped row has its likeness among the kept ones. System turns are not compared: one
long system prompt would make all rows alike.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from safety_assets.corpus.words import shingles
from safety_assets.store import digest_bytes

NUM_HASHES = 128
_RECALL = 0.999
_MARGIN = 0.17  # four standard errors of a Jaccard index estimated from 128 hashes
_PRIME = np.uint64(2**31 - 1)


@dataclass(frozen=True)
class Duplicate:
    """A row that repeats an earlier, kept one.

    Args:
        row: position of the row.
        kept: position of the row it repeats.
        jaccard: index of their shingle sets, 0 to 1.
        exact: the chats are equal to the letter.
    """

    row: int
    kept: int
    jaccard: float
    exact: bool


def find_duplicates(chats: Sequence[Sequence[Mapping[str, str]]], threshold: float) -> list[Duplicate]:
    """Rows that repeat an earlier one, at most one entry per row, in order.

    Args:
        chats: the chats, in the order in which they are kept.
        threshold: Jaccard index of 3-word shingles, 0 < threshold <= 1; at or above is a near duplicate.
    """
    exact = _exact(chats)
    unique = [i for i in range(len(chats)) if i not in exact]
    sets = [shingles(" ".join(m["content"] for m in chats[i] if m["role"] != "system")) for i in unique]
    near = {unique[i]: (unique[k], j) for i, (k, j) in _near(sets, threshold).items()}
    found = [Duplicate(i, near[k][0] if k in near else k, near[k][1] if k in near else 1.0, k not in near)
             for i, k in exact.items()]  # fmt: skip
    found += [Duplicate(i, k, jaccard, False) for i, (k, jaccard) in near.items()]
    return sorted(found, key=lambda d: d.row)


def _exact(chats: Sequence[Sequence[Mapping[str, str]]]) -> dict[int, int]:
    first: dict[tuple[tuple[str, str], ...], int] = {}
    repeats = {}
    for i, chat in enumerate(chats):
        kept = first.setdefault(tuple((m["role"], m["content"]) for m in chat), i)
        if kept != i:
            repeats[i] = kept
    return repeats


def _near(sets: Sequence[set[str]], threshold: float) -> dict[int, tuple[int, float]]:
    """Position to (kept position, Jaccard index) for every set that is near an earlier kept one."""
    signatures = _signatures(sets)  # (rows, NUM_HASHES)
    bands = _bands(signatures, _rows_per_band(threshold))
    buckets: list[dict[bytes, list[int]]] = [defaultdict(list) for _ in bands]
    near: dict[int, tuple[int, float]] = {}
    for i, own in enumerate(sets):
        keys = [band[i] for band in bands]
        earlier = {k for bucket, key in zip(buckets, keys, strict=True) if key in bucket for k in bucket[key]}
        best = _best(i, own, sorted(earlier), sets, signatures, threshold) if own else None
        if best is not None:
            near[i] = best
        elif own:
            for bucket, key in zip(buckets, keys, strict=True):
                bucket[key].append(i)
    return near


def _best(
    i: int, own: set[str], earlier: list[int], sets: Sequence[set[str]], signatures: np.ndarray, threshold: float
) -> tuple[int, float] | None:
    """The earlier row most like row i, at or above the threshold, and their Jaccard index."""
    if not earlier:
        return None
    estimates = (signatures[earlier] == signatures[i]).mean(axis=1)
    likely = [k for k, estimate in zip(earlier, estimates, strict=True) if estimate >= threshold - _MARGIN]
    scored = [(len(own & sets[k]) / len(own | sets[k]), -k) for k in likely]
    jaccard, kept = max(scored, default=(0.0, 0))
    return (-kept, jaccard) if jaccard >= threshold else None


def _signatures(sets: Sequence[set[str]]) -> np.ndarray:
    """MinHash signatures (rows, NUM_HASHES) from hashes of the shingles' text, so equal in every run."""
    numbers: dict[str, int] = {}
    flat = np.array([numbers.setdefault(s, len(numbers)) for own in sets for s in sorted(own) or [""]], dtype=np.int64)
    starts = np.cumsum([0] + [max(len(own), 1) for own in sets[:-1]], dtype=np.int64)
    hashed = np.array([int(digest_bytes(s.encode())[:8], 16) % int(_PRIME) for s in numbers], dtype=np.uint64)
    generator = np.random.default_rng(0)
    factors = generator.integers(1, int(_PRIME), NUM_HASHES, dtype=np.uint64)
    offsets = generator.integers(0, int(_PRIME), NUM_HASHES, dtype=np.uint64)
    signatures = np.empty((len(sets), NUM_HASHES), dtype=np.uint32)
    for n in range(NUM_HASHES if len(sets) else 0):
        values = ((hashed * factors[n] + offsets[n]) % _PRIME).astype(np.uint32)
        signatures[:, n] = np.minimum.reduceat(values[flat], starts)
    return signatures


def _rows_per_band(threshold: float) -> int:
    """The longest band that still brings a pair at the threshold together with probability 0.999."""
    fitting = [r for r in range(1, 17) if 1 - (1 - threshold**r) ** (NUM_HASHES // r) >= _RECALL]
    return max(fitting, default=1)


def _bands(signatures: np.ndarray, rows: int) -> list[list[bytes]]:
    """Per band the key of every row."""
    pieces = [np.ascontiguousarray(signatures[:, i : i + rows]) for i in range(0, NUM_HASHES - rows + 1, rows)]
    return [[row.tobytes() for row in piece] for piece in pieces]
