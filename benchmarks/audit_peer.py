"""The peer of the audit: presidio-analyzer's patterns and datasketch's MinHash with LSH, on the same rows.

Both in their own usual way, as well as their documentation shows: presidio without a language model (none can be
downloaded here), with the recognisers that `corpus/personal/presidio.py` asks for; MinHash of 128 permutations over
3-word shingles in each process, one index in the parent, candidates taken as they are. Starting processes, importing
and loading recognisers is not timed.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from safety_assets.corpus.personal.presidio import KINDS, LEAST_SCORE, pattern_engine
from safety_assets.corpus.words import shingles

NUM_HASHES = 128
_CHUNK_ROWS = 50

Texts = Sequence[Sequence[str]]
"""For each row the texts of its messages."""


@dataclass(frozen=True)
class PeerTimes:
    """Seconds of wall time for personal data and for near duplicates, and what each found."""

    personal_seconds: float
    duplicate_seconds: float
    personal: int
    duplicates: int

    @property
    def seconds(self) -> float:
        return self.personal_seconds + self.duplicate_seconds


def run_peer(rows: Texts, threshold: float, processes: int) -> PeerTimes:
    """Both tasks over rows, in so many processes."""
    from datasketch import MinHashLSH

    chunks = [rows[i : i + _CHUNK_ROWS] for i in range(0, len(rows), _CHUNK_ROWS)]
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        list(pool.map(_personal, [chunks[0][:2]] * 4 * processes))  # every process is up and warm
        began = time.perf_counter()
        personal = sum(pool.map(_personal, chunks))
        between = time.perf_counter()
        index, near = MinHashLSH(threshold=threshold, num_perm=NUM_HASHES), 0
        for number, sketch in enumerate(sketch for chunk in pool.map(_sketches, chunks) for sketch in chunk):
            if index.query(sketch):
                near += 1
            else:
                index.insert(number, sketch)
        ended = time.perf_counter()
    return PeerTimes(between - began, ended - between, personal, near)


def _begin() -> None:
    global _engine
    _engine = pattern_engine()


def _personal(rows: Texts) -> int:
    asked = {"language": "en", "entities": list(KINDS), "score_threshold": LEAST_SCORE}
    return sum(len(_engine.analyze(text, **asked)) for row in rows for text in row)


def _sketches(rows: Texts) -> list:
    from datasketch import MinHash

    found = []
    for row in rows:
        sketch = MinHash(num_perm=NUM_HASHES)
        sketch.update_batch([shingle.encode() for shingle in shingles(" ".join(row))])
        found.append(sketch)
    return found
