"""Which of many sets are near an earlier one that is kept: candidates from buckets, decided by the sets themselves."""

from collections.abc import Iterable, Iterator

import numpy as np

from safety_assets.corpus.buckets import Batch, all_pairs, bucket_pairs, num_bands
from safety_assets.corpus.minhash import NUM_HASHES, estimates, margin, rows_per_band, signatures
from safety_assets.corpus.spool import Spool
from safety_assets.hashes import Hashed

FEW = 128
"""Sets up to which every pair is compared."""

_PASSES = 4
_TOGETHER = 1 << 18
_PAIRS = 1 << 11  # looking at a row of a mapped file brings its neighbours into memory, 64 KiB of them
_BITS = np.uint64(48)
_VALUE = np.uint64((1 << 48) - 1)
_ROWS = 1 << 15


class Sets:
    """Sets of hashes, kept in temporary files: their members (48 bits each) and their signatures.

    Two members are taken for equal by chance once in 2^48.
    """

    def __init__(self) -> None:
        self._members, self._signatures = Spool(np.uint64), Spool(np.uint16, NUM_HASHES)
        self._counts: list[np.ndarray] = [np.empty(0, dtype=np.int64)]
        self._sums: list[np.ndarray] = [np.empty(0, dtype=np.uint64)]

    def append(self, found: Hashed) -> None:
        """Add the hashes of some texts as one set each."""
        for first in range(0, len(found.starts) - 1, _ROWS):
            part = found.starts[first : first + _ROWS + 1]
            values, counts = _distinct(found.values[part[0] : part[-1]], np.diff(part))
            starts = np.concatenate([[0], np.cumsum(counts)])
            sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values * (values | np.uint64(1)))])
            self._members.append(values)
            self._signatures.append(signatures(values, starts))
            self._counts.append(counts)
            self._sums.append(sums[starts[1:]] - sums[starts[:-1]])

    @property
    def counts(self) -> np.ndarray:
        """Members per set (sets,)."""
        self._counts = [np.concatenate(self._counts)]
        return self._counts[0]

    @property
    def sums(self) -> np.ndarray:
        """One hash per set (sets,), uint64: equal for equal sets."""
        self._sums = [np.concatenate(self._sums)]
        return self._sums[0]

    def near(self, order: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sets near an earlier one that is kept, so that no two kept ones that were compared are near one another.

        Args:
            order: positions of the sets that take part, none of them empty, no two equal; the earlier is kept.
            threshold: Jaccard index at or above which two sets are near, 0 < threshold <= 1.

        Returns:
            Positions of those sets, the kept set each is most like of those it was compared with, and their index.
        """
        rank = np.full(len(self.counts), -1, dtype=np.int64)
        rank[order] = np.arange(len(order))
        return _Search(self, rank, threshold).run(np.sort(order))

    def jaccard(self, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        """Jaccard index of each pair of sets (pairs,)."""
        counts, common = self.counts, np.zeros(len(lower), dtype=np.int64)
        starts = np.cumsum(counts) - counts
        for first in range(0, len(lower), _PAIRS):
            pair = np.concatenate([lower[first : first + _PAIRS], upper[first : first + _PAIRS]])
            owners = np.repeat(np.arange(len(pair), dtype=np.uint64) % np.uint64(len(pair) // 2), counts[pair])
            both = np.sort((owners << _BITS) | self._members.ranges(starts[pair], counts[pair])[:, 0])
            twice = both[1:][both[1:] == both[:-1]] >> _BITS
            common[first : first + _PAIRS] = np.bincount(twice.astype(np.int64), minlength=len(pair) // 2)
        return common / (counts[lower] + counts[upper] - common)

    @property
    def signatures(self) -> Spool:
        """Signatures of all sets."""
        return self._signatures


def _distinct(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Members in 48 bits, each once per set, and how many each set has; at most 2^16 sets."""
    owners = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    both = np.sort((owners << _BITS) | (values >> np.uint64(16)))
    first = np.ones(len(both), dtype=bool)
    first[1:] = both[1:] != both[:-1]
    both = both[first]
    return both & _VALUE, np.bincount((both >> _BITS).astype(np.int64), minlength=len(counts))


def _gathered(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Batches of pairs, as many together as are worth one comparison."""
    together: list[Batch] = []
    for batch in batches:
        together.append(batch)
        if sum(len(lower) for lower, _, _ in together) >= _TOGETHER:
            yield together
            together = []
    if together:
        yield together


class _Search:
    """One search for near sets: the near pairs found so far, and who is kept by them."""

    def __init__(self, sets: Sets, rank: np.ndarray, threshold: float) -> None:
        self._sets, self._rank, self._threshold = sets, rank, threshold
        self._counts = sets.counts
        self._margin = margin(threshold)
        self._edges: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._decision, self._decided = np.zeros(len(rank), dtype=bool), 0

    def run(self, sets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compare until nothing more is found."""
        if len(sets) <= FEW:
            self._compare(*all_pairs(sets))
            return self._result()
        for _ in range(_PASSES):
            if not self._pass(sets, rows_per_band(self._threshold)):
                break
        return self._result()

    def _pass(self, sets: np.ndarray, rows: int) -> bool:
        """Compare what shares a bucket, band by band, dropped sets left out; whether a second look can find more.

        It can where a set was dropped for one that was dropped later, or where buckets were crowded and have thinned.
        """
        before, crowded, absent = len(self._edges), False, np.zeros(len(self._rank), dtype=bool)
        for band in range(num_bands(rows)):
            absent |= self._dropped()
            kept = sets[~self._dropped()[sets]]
            for batch in _gathered(bucket_pairs(self._sets.signatures, kept, band, rows)):
                crowded |= any(split for _, _, split in batch)
                self._compare(*(np.concatenate(side) for side in list(zip(*batch, strict=True))[:2]))
        back = bool((absent & ~self._dropped())[sets].any())
        return back or (crowded and len(self._edges) > before)

    def _compare(self, lower: np.ndarray, upper: np.ndarray) -> None:
        """Remember those pairs that are near."""
        sizes = self._counts[lower], self._counts[upper]
        likely = np.minimum(*sizes) >= self._threshold * np.maximum(*sizes) - 1e-9
        lower, upper = lower[likely], upper[likely]
        for first in range(0, len(lower), _PAIRS):
            a, b = lower[first : first + _PAIRS], upper[first : first + _PAIRS]
            mapped = self._sets.signatures.mapped()  # anew for each batch: what was read does not stay in memory
            estimated = estimates(mapped[a], mapped[b])
            likely = estimated >= self._threshold - self._margin
            a, b = a[likely], b[likely]
            jaccard = self._sets.jaccard(a, b)
            near = jaccard >= self._threshold
            if near.any():
                earlier = self._rank[a] < self._rank[b]
                edge = np.where(earlier, a, b)[near], np.where(earlier, b, a)[near], jaccard[near]
                self._edges.append(edge)

    def _all(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All near pairs (earlier, later, index), in the order of the later one."""
        nothing = np.empty(0, dtype=np.int64)
        if not self._edges:
            return nothing, nothing, np.empty(0)
        earlier, later, jaccard = (np.concatenate(part) for part in zip(*self._edges, strict=True))
        order = np.argsort(self._rank[later], kind="stable")
        return earlier[order], later[order], jaccard[order]

    def _dropped(self) -> np.ndarray:
        """Whether each set is near an earlier kept one, by the pairs found so far."""
        if self._decided != len(self._edges):
            earlier, later, _ = self._all()
            dropped = bytearray(len(self._rank))
            for kept, row in zip(earlier.tolist(), later.tolist(), strict=True):
                if not dropped[kept]:
                    dropped[row] = 1
            self._decision, self._decided = np.frombuffer(dropped, dtype=bool), len(self._edges)
        return self._decision

    def _result(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dropped = self._dropped()
        earlier, later, jaccard = self._all()
        decided = dropped[later] & ~dropped[earlier]
        earlier, later, jaccard = earlier[decided], later[decided], jaccard[decided]
        best = np.lexsort((self._rank[earlier], -jaccard, later))
        first = np.ones(len(best), dtype=bool)
        first[1:] = later[best][1:] != later[best][:-1]
        return later[best][first], earlier[best][first], jaccard[best][first]
