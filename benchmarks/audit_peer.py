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
    """Seconds of wall time for personal data and for near duplicates, processor time of both, what each found."""

    personal_seconds: float
    duplicate_seconds: float
    cpu_seconds: float
    personal: int
    duplicates: int

    @property
    def seconds(self) -> float:
        return self.personal_seconds + self.duplicate_seconds


def run_peer(rows: Texts, threshold: float, processes: int) -> PeerTimes:
    """Both tasks over rows, in so many processes."""
    chunks = [rows[i : i + _CHUNK_ROWS] for i in range(0, len(rows), _CHUNK_ROWS)]
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        list(pool.map(_personal, [chunks[0][:2]] * 4 * processes))  # every process is up and warm
        began, cpu = time.perf_counter(), time.process_time()
        personal = list(pool.map(_personal, chunks))
        between = time.perf_counter()
        sketched = list(pool.map(_sketches, chunks))
        near = _near([sketch for sketches, _ in sketched for sketch in sketches], threshold)
        ended, cpu = time.perf_counter(), time.process_time() - cpu
    cpu += sum(seconds for _, seconds in (*personal, *sketched))
    return PeerTimes(between - began, ended - between, cpu, sum(found for found, _ in personal), near)


def _near(sketches: Sequence, threshold: float) -> int:
    """How many are near an earlier one that was kept."""
    from datasketch import MinHashLSH

    index, near = MinHashLSH(threshold=threshold, num_perm=NUM_HASHES), 0
    for number, sketch in enumerate(sketches):
        if index.query(sketch):
            near += 1
        else:
            index.insert(number, sketch)
    return near


def _begin() -> None:
    global _engine
    _engine = pattern_engine()


def _personal(rows: Texts) -> tuple[int, float]:
    """Pieces of personal data in some rows, and processor seconds."""
    began = time.process_time()
    asked = {"language": "en", "entities": list(KINDS), "score_threshold": LEAST_SCORE}
    found = sum(len(_engine.analyze(text, **asked)) for row in rows for text in row)
    return found, time.process_time() - began


def _sketches(rows: Texts) -> tuple[list, float]:
    """A MinHash of each row, and processor seconds."""
    from datasketch import MinHash

    began, found = time.process_time(), []
    for row in rows:
        sketch = MinHash(num_perm=NUM_HASHES)
        sketch.update_batch([shingle.encode() for shingle in shingles(" ".join(row))])
        found.append(sketch)
    return found, time.process_time() - began
