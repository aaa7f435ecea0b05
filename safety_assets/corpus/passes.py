"""The two passes of an audit over the shards of a corpus, in this process or in several; the result is the same.

Each detector sees every shard once, each learner all shards twice. A shard with all detectors is one piece of work, as
many learners as there are for each process, with all shards, another; pieces go to whichever process is free, learners
first, since they take longest.
What was seen is written to files, for each shard one of all detectors and one of each learner, so that nothing but a
learner grows with the corpus.
"""

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import polars as pl

from safety_assets.corpus.coverage import Coverage
from safety_assets.corpus.detect import SEEN, Detector, Learner, turns_of
from safety_assets.corpus.detectors import DETECTORS, LEARNERS, Known, MakeDetector, MakeLearner
from safety_assets.corpus.personal.find import find_pii
from safety_assets.errors import CorpusError
from safety_assets.frames import Shards
from safety_assets.records import ROWS

Report = Callable[[int, int], None]
"""Takes how many pieces of work are done, and of how many."""


@dataclass(frozen=True)
class Corpus:
    """The rows of an audit, their positions counted through all shards.

    Args:
        shards: ROWS; or AUDITED, of which the corpus rows are looked at, with their origin as source and their
            position as line.
        firsts: position of the first row of each shard.
    """

    shards: Shards
    firsts: tuple[int, ...]

    def rows(self, number: int) -> pl.DataFrame:
        """ROWS of one shard."""
        return ROWS.check(self._lazy(number).collect())

    def places(self, number: int) -> pl.DataFrame:
        """Columns row (the position), row_id, source, line of one shard."""
        position = pl.int_range(pl.len(), dtype=pl.Int64) + self.firsts[number]
        return self._lazy(number).select("row_id", "source", "line", row=position).collect()

    def _lazy(self, number: int) -> pl.LazyFrame:
        part = self.shards.lazy_parts()[number]
        if self.shards.table == ROWS:
            return part
        line = pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + self.firsts[number]
        return part.filter(pl.col("origin") == "corpus").with_columns(source="origin", line=line)

    def turns(self, number: int) -> pl.DataFrame:
        """TURNS of one shard."""
        return turns_of(self.rows(number), self.firsts[number])

    def positions(self, row_ids: Collection[str]) -> frozenset[int]:
        """Where rows with these ids stand."""
        if not row_ids:
            return frozenset()
        wanted = pl.col("row_id").is_in(pl.Series(list(row_ids)).implode())
        return frozenset(row for number in range(len(self.firsts)) for row in self.places(number).filter(wanted)["row"])

    def placed(self, said: Mapping[str, str]) -> dict[int, str]:
        """What is said of rows by their ids, by their positions."""
        if not said:
            return {}
        wanted = pl.col("row_id").is_in(pl.Series(list(said)).implode())
        found = (self.places(number).filter(wanted).select("row", "row_id") for number in range(len(self.firsts)))
        return {row: said[row_id] for part in found for row, row_id in part.iter_rows()}


def corpus_of(shards: Shards) -> Corpus:
    """A corpus with its positions."""
    alone = [
        part if shards.table == ROWS else part.filter(pl.col("origin") == "corpus") for part in shards.lazy_parts()
    ]
    heights = [part.select(pl.len()).collect().item() for part in alone]
    return Corpus(shards, tuple(sum(heights[:number]) for number in range(len(heights))))


@dataclass(frozen=True)
class Passes:
    """What there is to do, and where what was seen goes.

    Args:
        scratch: folder for what was seen; the caller removes it.
        detectors, learners: functions of modules, since they are sent to other processes by name.
    """

    corpus: Corpus
    known: Known
    scratch: Path
    detectors: tuple[MakeDetector, ...] = DETECTORS
    learners: tuple[MakeLearner, ...] = LEARNERS

    @cached_property
    def _made(self) -> list[Detector]:
        return [make(self.known) for make in self.detectors]

    @cached_property
    def _coverage(self) -> Coverage:
        return Coverage(self.known.pairs, self.known.categories, self.known.topics)

    def detect(self, number: int, turns: pl.DataFrame | None = None) -> None:
        """All detectors, and the coverage, of one shard."""
        turns = self.corpus.turns(number) if turns is None else turns
        found = pl.concat([SEEN.empty(), *(SEEN.check(detector(turns)) for detector in self._made)])
        self._write(number, 0, found)
        self._coverage.count(turns, found).write_parquet(self.scratch / f"coverage-{number:05d}.parquet")

    def learn(self, indices: Sequence[int]) -> None:
        """Both passes of some learners."""
        learners = {index: self.learners[index](self.known) for index in indices}
        for number in range(len(self.corpus.shards)):
            turns = self.corpus.turns(number)
            for learner in learners.values():
                learner.learn(turns)
        for number in range(len(self.corpus.shards)):
            turns = self.corpus.turns(number)
            for index, learner in learners.items():
                self.find(number, index, learner, turns)

    def find(self, number: int, index: int, learner: Learner, turns: pl.DataFrame) -> None:
        """What a learner finds in one shard."""
        self._write(number, 1 + index, SEEN.check(learner.find(turns)))

    def seen(self, number: int) -> pl.DataFrame:
        """What was SEEN in one shard, in the order of rows and detectors."""
        parts = [pl.read_parquet(self._file(number, rank)) for rank in range(1 + len(self.learners))]
        return pl.concat(parts).sort("row", maintain_order=True)

    def coverage(self) -> pl.DataFrame:
        """The coverage of all shards."""
        files = sorted(self.scratch.glob("coverage-*.parquet"))
        return self._coverage.total([pl.read_parquet(file) for file in files])

    def _write(self, number: int, rank: int, found: pl.DataFrame) -> None:
        without_personal_data(found).write_parquet(self._file(number, rank))

    def _file(self, number: int, rank: int) -> Path:
        """Rank 0 is what detectors see, the others are the learners."""
        return self.scratch / f"seen-{number:05d}-{rank:02d}.parquet"


def without_personal_data(found: pl.DataFrame) -> pl.DataFrame:
    """SEEN whose evidence quotes no personal data: what a detector quotes of a row is masked, whatever it looks for."""
    quoting = found.filter(pl.col("start").is_null())["evidence"].unique()
    masked = {text: clean for text in quoting.to_list() if (clean := masked_text(text)) != text}
    return found.with_columns(pl.col("evidence").replace(masked)) if masked else found


def masked_text(text: str) -> str:
    """A text with its personal data masked as evidence is."""
    for span in reversed(find_pii(text)):
        text = text[: span.start] + span.evidence + text[span.end :]
    return text


def run_passes(work: Passes, processes: int, report: Report = lambda done, of: None) -> None:
    """Do all of it.

    Args:
        processes: how many work at once, 1 or more; 1 is this one. The result does not depend on it.

    Raises:
        CorpusError: a process died.
    """
    if processes == 1:
        _alone(work, report)
    else:
        _together(work, processes, report)


def _alone(work: Passes, report: Report) -> None:
    """Turns are made once for all that look at them."""
    learners = [make(work.known) for make in work.learners]
    shards = len(work.corpus.shards)
    for number in range(shards):
        turns = work.corpus.turns(number)
        work.detect(number, turns)
        for learner in learners:
            learner.learn(turns)
        report(number + 1, 2 * shards)
    for number in range(shards):
        turns = work.corpus.turns(number)
        for index, learner in enumerate(learners):
            work.find(number, index, learner, turns)
        report(shards + number + 1, 2 * shards)


def _together(work: Passes, processes: int, report: Report) -> None:
    shards = len(work.corpus.shards)
    learners = range(len(work.learners))
    pieces = [partial(_learn, tuple(learners[first::processes])) for first in range(min(processes, len(learners)))]
    pieces += [partial(_detect, number) for number in range(shards)]
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the locks of Polars' threads
    with _one_thread_each(), ProcessPoolExecutor(processes, spawn, _begin, (work,)) as pool:
        running: list[Future[None]] = [pool.submit(piece) for piece in pieces]
        try:
            for done, future in enumerate(as_completed(running), 1):
                future.result()
                report(done, len(pieces))
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, BrokenProcessPool):
                found = f"one of {processes} processes of the audit died"
                raise CorpusError(found, do="look for a kill for memory, and set fewer processes") from error
            raise


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started now run Polars on one thread: they share the cores already."""
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before


_THREADS = "POLARS_MAX_THREADS"
_work: Passes
"""In a process of several: what it was begun with."""


def _begin(work: Passes) -> None:
    global _work
    _work = work


def _detect(number: int) -> None:
    _work.detect(number)


def _learn(indices: Sequence[int]) -> None:
    _work.learn(indices)
