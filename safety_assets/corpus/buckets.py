"""Pairs of rows worth comparing: those whose signatures agree in a whole band (locality-sensitive hashing).

Bands are sorted, not hashed into tables. A bucket of more rows than `CROWDED` is split by further places of the
signature, as in an LSH forest (Bawa et al. 2005), so that the work grows with the rows and not with their square; only
in crowded buckets can a pair be overlooked in that band. What stays crowded has its rows compared with their nearest
neighbours in the order of signatures, and with the first.
"""

from collections.abc import Iterator

import numpy as np

from safety_assets.corpus.minhash import NUM_HASHES
from safety_assets.corpus.spool import Spool
from safety_assets.hashes import mixed

CROWDED = 32
"""Rows of a bucket up to which each is compared with each."""

_DEEPER = 16
"""Further places of the signature by which a crowded bucket is split."""

Pairs = tuple[np.ndarray, np.ndarray]
Batch = tuple[np.ndarray, np.ndarray, bool]


def num_bands(rows: int) -> int:
    """Bands of so many places in a signature."""
    return NUM_HASHES // rows


def bucket_pairs(signatures: Spool, active: np.ndarray, band: int, rows: int) -> Iterator[Batch]:
    """Batches (lower, upper, crowded) of pairs of active rows that share a bucket of one band.

    `crowded` says that the bucket was split, so that some pairs that share it are in no batch.

    Args:
        signatures: (rows, 128) of all rows.
        active: ascending positions of the rows that take part.
        band: which band, from 0.
        rows: places in a band.
    """
    members, keys = active, _keys(signatures, active, band * rows, rows)
    for split in range(_DEEPER + 1):
        members, keys, sizes = _buckets(members, keys)
        crowded = (sizes > CROWDED) & (split < _DEEPER)
        for lower, upper in _neighbours(members[~crowded], keys[~crowded]):
            yield lower, upper, split > 0
        members, keys = members[crowded], keys[crowded]
        if not len(members):
            return
        place = (band * rows + rows + split) % NUM_HASHES
        keys = _deeper(keys, signatures.mapped()[members, place])


def all_pairs(active: np.ndarray) -> Pairs:
    """Every pair of active rows."""
    lower, upper = np.triu_indices(len(active), k=1)
    return active[lower], active[upper]


def _keys(signatures: Spool, active: np.ndarray, place: int, rows: int) -> np.ndarray:
    """One number per active row for so many places of its signature from one on (active,)."""
    parts = [np.empty(0, dtype=np.uint64)]
    for first, block in signatures.blocks():
        begin, end = np.searchsorted(active, (first, first + len(block)))
        keys = np.zeros(end - begin, dtype=np.uint64)
        for column in block[active[begin:end] - first, place : place + rows].T:
            keys = _deeper(keys, column)
        parts.append(keys)
    return np.concatenate(parts)


def _deeper(keys: np.ndarray, column: np.ndarray) -> np.ndarray:
    return mixed(keys + column.astype(np.uint64) + np.uint64(1))


def _buckets(members: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Members bucket by bucket, those alone left out, each with its key and the size of its bucket."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.empty(0, np.int64)
    counts = np.diff(np.append(starts, len(keys)))
    sizes = np.repeat(counts, counts)
    shared = sizes > 1
    return members[order][shared], keys[shared], sizes[shared]


def _neighbours(members: np.ndarray, keys: np.ndarray) -> Iterator[Pairs]:
    """Pairs of each bucket: all of them up to CROWDED rows, else the near ones and those with its first row."""
    for distance in range(1, CROWDED):
        same = keys[distance:] == keys[:-distance]
        if not same.any():
            return
        yield members[:-distance][same], members[distance:][same]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    counts = np.diff(np.append(starts, len(keys)))
    far = np.arange(len(keys)) - np.repeat(starts, counts) >= CROWDED
    yield members[np.repeat(starts, counts)][far], members[far]
