"""How fast a large made-up corpus is audited, how much memory that takes, and how a peer does on the same rows.

    python -m benchmarks.audit --rows 100000 --processes 2

The corpus (`benchmarks/dirty_corpus.py`) is written first and not timed. Timed is everything from shards of rows to
shards of findings, the start of processes included; memory is the largest sum of resident memory over this process
and all below it, seen every tenth of a second. The peer (`benchmarks/audit_peer.py`, extra `bench`) finds personal
data and near duplicates in a sample; `two_tasks` is our audit of the rows with these two alone. Ratios are
of wall time; those called `cpu` are of processor time of all processes, which other work on the machine does not
change. The profile says how long each detector takes over one shard in one process. The last line is JSON.
"""

import argparse
import importlib.util
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

import psutil

from benchmarks.dirty_corpus import planted, write_corpus
from benchmarks.findings import table
from safety_assets import suites
from safety_assets.corpus.audit import Question, audit
from safety_assets.corpus.detectors import DETECTORS, LEARNERS, Known
from safety_assets.corpus.findings import write_findings
from safety_assets.corpus.passes import Corpus, Passes, corpus_of, run_passes
from safety_assets.evals.probes import read_probes
from safety_assets.frames import Shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import PAIRS, TASKS
from safety_assets.starter.law import policy_values

POLL_SECONDS = 0.1
PROFILED_ROWS = 10_000
PERSONAL, DUPLICATES = DETECTORS[0], LEARNERS[0]


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time and of processor time that so many rows took."""

    rows: int
    wall: float
    cpu: float

    def times(self, other: "Cost") -> tuple[float, float]:
        """How many times the rows per second of another, by wall and by processor time."""
        return (
            round(self.rows / self.wall / (other.rows / other.wall), 1),
            round(self.rows / self.cpu / (other.rows / other.cpu), 1),
        )


def main() -> None:
    """Measure, print tables, print JSON."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows = write_corpus(folder, asked.rows, asked.processes)
        with _peak_memory() as peak:
            whole, counts = _whole(rows, folder, asked.processes)
        figures: dict[str, object] = {
            "rows": asked.rows, "processes": asked.processes, "seconds": round(whole.wall, 2),
            "cpu_seconds": round(whole.cpu, 2), "rows_per_s": round(whole.rows / whole.wall),
            "peak_rss_mb": round(peak() / 1e6),
        }  # fmt: skip
        print(" ".join(f"{name} {value:,}" for name, value in figures.items()), flush=True)
        profile = _profile(rows)
        figures |= _against_peer(rows, folder, asked.processes, asked.peer_rows, whole)
    print("\n".join(table([{"kind": k, "rows planted": n} for k, n in planted(asked.rows).items()])))
    print("\n".join(table([{"finding": name, "found": n} for name, n in counts.items()])))
    print("\n".join(table([{"detector": name, "microseconds per row": us} for name, us in profile.items()])))
    print(json.dumps({**figures, "found": counts, "microseconds_per_row": profile}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=len(psutil.Process().cpu_affinity()))
    parser.add_argument("--peer-rows", type=int, default=2_000, help="rows of the sample; 0 leaves the peer out")
    return parser.parse_args()


def _question() -> Question:
    policy = CorpusPolicy.model_validate(policy_values("moderate")["corpus"])
    return Question(probes=read_probes(suites.STANDARD), tasks=TASKS.empty(), pairs=PAIRS.empty(), policy=policy)


def _whole(rows: Shards, folder: Path, processes: int) -> tuple[Cost, dict[str, int]]:
    """What the whole audit cost, and findings by name."""
    question = _question()
    with _cost_of(rows.height) as cost:
        found = audit(rows, question, folder / "audit", processes=processes).findings
    return cost(), dict(found.lazy().group_by("finding").len().sort("finding").collect().iter_rows())


def _against_peer(rows: Shards, folder: Path, processes: int, peer_rows: int, whole: Cost) -> dict[str, object]:
    """Rows per second of the two tasks, ours and the peer's, and how many times faster we are."""
    ours = _two_tasks(rows, folder / "two", processes)
    figures: dict[str, object] = {"two_tasks_rows": ours.rows, "two_tasks_rows_per_s": round(ours.rows / ours.wall)}
    if not peer_rows or not importlib.util.find_spec("datasketch") or not importlib.util.find_spec("presidio_analyzer"):
        return figures | dict.fromkeys(("peer_rows_per_s", "ratio_to_peer", "two_tasks_ratio_to_peer"))
    from benchmarks.audit_peer import run_peer

    sample = rows.head(peer_rows)["messages"].to_list()
    texts = [[message["content"] for message in chat] for chat in sample]
    found = run_peer(texts, _question().policy.near_duplicate_jaccard, processes)
    peer = Cost(len(texts), found.seconds, found.cpu_seconds)
    ratios = dict(zip(("ratio_to_peer", "ratio_to_peer_cpu"), whole.times(peer), strict=True))
    two = dict(zip(("two_tasks_ratio_to_peer", "two_tasks_ratio_to_peer_cpu"), ours.times(peer), strict=True))
    return figures | {
        "peer_rows": peer.rows, "peer_rows_per_s": round(peer.rows / peer.wall, 1),
        "peer_personal_seconds": round(found.personal_seconds, 2),
        "peer_duplicate_seconds": round(found.duplicate_seconds, 2),
    } | ratios | two  # fmt: skip


def _two_tasks(rows: Shards, folder: Path, processes: int) -> Cost:
    """What personal data and near duplicates cost us."""
    folder.mkdir()
    question = _question()
    with _cost_of(rows.height) as cost:
        corpus = corpus_of(rows)
        work = Passes(corpus, question.known(corpus), folder, detectors=(PERSONAL,), learners=(DUPLICATES,))
        run_passes(work, processes)
        write_findings(work, folder, "findings", question.decisions)
    return cost()


@contextmanager
def _cost_of(rows: int) -> Iterator[Callable[[], Cost]]:
    """Measures what is done inside; processes that are started inside must have ended."""
    began, cpu = time.perf_counter(), _cpu_seconds()
    cost: list[Cost] = []
    yield lambda: cost[0]
    cost.append(Cost(rows, time.perf_counter() - began, _cpu_seconds() - cpu))


def _profile(rows: Shards) -> dict[str, float]:
    """Detector to microseconds of processor time a row, the slowest first, over the first rows of the corpus."""
    first = Shards(rows.table, (rows.read(0).head(PROFILED_ROWS),))
    corpus = corpus_of(first)
    known, turns = _question().known(corpus), corpus.turns(0)
    times = {"(rows to turns)": _seconds(lambda: corpus.turns(0))}
    for make in DETECTORS:
        detect = make(known)
        detect(turns.head(2_000))  # what is loaded once is loaded
        times[_name(make)] = _seconds(lambda detect=detect: detect(turns))
    for make_learner in LEARNERS:
        times |= _learner_times(_name(make_learner), make_learner, corpus, known)
    scaled = {name: round(1e6 * seconds / first.height, 1) for name, seconds in times.items()}
    return dict(sorted(scaled.items(), key=lambda item: -item[1]))


def _learner_times(name: str, make: Callable, corpus: Corpus, known: Known) -> dict[str, float]:
    learner, turns = make(known), corpus.turns(0)
    learn = _seconds(lambda: learner.learn(turns))
    return {f"{name}.learn": learn, f"{name}.find": _seconds(lambda: learner.find(turns))}


def _name(make: Any) -> str:
    """What a maker is called; of one that is given its detector, what the detector is called."""
    named = make.args[0] if isinstance(make, partial) else make
    return named.__name__.strip("_")


def _seconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


@contextmanager
def _peak_memory() -> Iterator[Callable[[], int]]:
    """Watches this process and those below it; what is given says the largest sum of resident bytes so far."""
    done, largest = threading.Event(), [0]

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            largest[0] = max(largest[0], _resident())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: largest[0]
    finally:
        done.set()
        thread.join()


def _cpu_seconds() -> float:
    """Processor time of this process and of those it started and that have ended."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def _resident() -> int:
    own = psutil.Process()
    total = 0
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
