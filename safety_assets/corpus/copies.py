"""Copies of one chat, numbered in the order of the corpus: the first keeps its id, the k-th copy gets `-k`."""

from collections.abc import Sequence

import numpy as np

Run = tuple[np.ndarray, np.ndarray]
"""Sorted distinct ids (uint64) and how often each was seen (uint32)."""


class Copies:
    """Remembers which ids were seen, in 12 bytes each.

    Seen ids stand in sorted runs. A new run is merged with the one before it once that is no longer twice as long, so
    that there are few runs and each id is moved few times (a log-structured merge).
    """

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def number(self, ids: Sequence[str]) -> list[str]:
        """The ids of some more chats, in order, with their copies numbered.

        Args:
            ids: 16 hex digits each.
        """
        found = np.fromiter((int(name, 16) for name in ids), dtype=np.uint64, count=len(ids))
        distinct, places, counts = np.unique(found, return_inverse=True, return_counts=True)
        copies = self._before(distinct)[places] + _earlier(places, counts)
        self._runs.append((distinct, counts.astype(np.uint32)))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            self._runs.append(_merged(self._runs.pop(), self._runs.pop()))
        return [f"{name}-{copy}" if copy else name for name, copy in zip(ids, copies.tolist(), strict=True)]

    def _before(self, distinct: np.ndarray) -> np.ndarray:
        """How often each id was seen before."""
        total = np.zeros(len(distinct), dtype=np.int64)
        for ids, counts in self._runs:
            if len(ids):
                at = np.minimum(np.searchsorted(ids, distinct), len(ids) - 1)
                total += np.where(ids[at] == distinct, counts[at], 0)
        return total


def _earlier(places: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """For every element, how many equal ones stand before it."""
    order = np.argsort(places, kind="stable")
    starts = np.cumsum(counts) - counts
    earlier = np.empty(len(places), dtype=np.int64)
    earlier[order] = np.arange(len(places)) - np.repeat(starts, counts)
    return earlier


def _merged(one: Run, other: Run) -> Run:
    ids = np.concatenate([one[0], other[0]])
    distinct, places = np.unique(ids, return_inverse=True)
    counts = np.zeros(len(distinct), dtype=np.uint32)
    np.add.at(counts, places, np.concatenate([one[1], other[1]]))
    return distinct, counts
