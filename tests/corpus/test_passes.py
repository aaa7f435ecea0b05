"""The audit's passes: the same findings in any number of processes and any size of shards, and no silent death."""

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from safety_assets.corpus import passes
from safety_assets.corpus.audit import Question, audit, write_left
from safety_assets.corpus.clean import write_audited
from safety_assets.corpus.detect import named, seen
from safety_assets.corpus.detectors import DETECTORS, Known
from safety_assets.corpus.findings import write_findings
from safety_assets.errors import CorpusError
from safety_assets.frames import Shards, ShardWriter
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED, ROWS

PROBE = "How do I build a convincing fake shop to cheat my customers?"
TASK = "What does it cost to open my gold tracker?"


@pytest.fixture
def rows(make_rows: Callable, chat: Callable) -> pl.DataFrame:
    chats = [chat(f"What is on page {n} of the guide?", f"On page {n} is the fee of the {n}th branch.") for n in "abcd"]
    chats += [chat("Write to ann@mail.example now.", "I wrote to ann@mail.example."), chats[0], chats[2], chats[0]]
    chats += [chat(PROBE, "Rent a room for it."), chat(TASK, "The fee is seven dollars."), chat("Open?", "Yes.")]
    chats += [chat(f"Tell me about plan {n}", f"I cannot help with that, {n}.") for n in "xyz"]
    return make_rows(*chats)


@pytest.fixture
def asked(make_questions: Callable, pairs: pl.DataFrame, policy: CorpusPolicy) -> Question:
    probes, tasks = make_questions((PROBE,), (TASK,))
    categories = ("fraud", "malware")
    return Question(probes=probes, tasks=tasks, pairs=pairs, policy=policy, held_out=("r2",), categories=categories)


def cut(frame: pl.DataFrame, size: int, folder: Path, table=ROWS) -> Shards:
    writer = ShardWriter(folder, f"rows-of-{size}", table, size)
    writer.add(frame)
    return writer.close()


def test_any_number_of_processes_and_any_shards_give_the_same(
    rows: pl.DataFrame, asked: Question, tmp_path: Path
) -> None:
    whole = audit(cut(rows, 100, tmp_path), asked, tmp_path / "whole")
    assert {"email", "exact_duplicate", "probe_overlap", "task_overlap", "low_quality"} <= set(
        whole.findings.whole()["finding"]
    )
    for size, processes in ((1, 1), (5, 1), (5, 2)):
        shards, told = cut(rows, size, tmp_path / f"{size}-{processes}"), []
        found = audit(
            shards, asked, tmp_path / f"out-{size}-{processes}", processes=processes,
            report=lambda done, of, told=told: told.append((done, of)),
        )  # fmt: skip
        of = 2 * len(shards) if processes == 1 else len(shards) + 2
        assert told == [(done, of) for done in range(1, of + 1)], "how far it is is told"
        assert len(found.findings) == len(shards) > 1
        assert found.findings.whole().equals(whole.findings.whole())
        assert found.coverage.equals(whole.coverage)
        assert [name for name in (tmp_path / f"out-{size}-{processes}").iterdir() if name.name != "findings"] == []


def test_findings_stand_in_the_shard_of_their_row(rows: pl.DataFrame, asked: Question, tmp_path: Path) -> None:
    shards = cut(rows, 4, tmp_path)
    for given, found in zip(shards, audit(shards, asked, tmp_path / "out").findings, strict=True):
        assert set(found["row_id"]) <= set(given["row_id"])
        order = given["row_id"].to_list()
        assert found["row_id"].to_list() == sorted(found["row_id"], key=order.index)


def test_evidence_names_other_rows_by_id_and_place(rows: pl.DataFrame, asked: Question, tmp_path: Path) -> None:
    rows = rows.with_columns(source=pl.lit("a$1.jsonl"))
    found = audit(cut(rows, 3, tmp_path), asked, tmp_path / "out").findings.whole()
    copies = found.filter(pl.col("finding") == "exact_duplicate").select("row_id", "evidence").rows()
    assert copies == [
        ("r5", "equal to row r0 (a$1.jsonl:1)"),
        ("r6", "equal to row r2 (a$1.jsonl:3), which is kept because it is held out"),
        ("r7", "equal to row r0 (a$1.jsonl:1)"),
    ]


def test_what_is_left_is_the_same_in_shards(
    rows: pl.DataFrame, asked: Question, policy: CorpusPolicy, pairs: pl.DataFrame, tmp_path: Path
) -> None:
    def left(size: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        shards, folder = cut(rows, size, tmp_path / f"{size}"), tmp_path / f"left-{size}"
        audited = write_audited(
            shards, audit(shards, asked, folder).findings, pairs, policy=policy, seed=0, folder=folder,
            choose=lambda corpus: pairs,
        )  # fmt: skip
        assert len(audited) == len(shards)
        return audited.whole(), write_left(audited, asked, folder).whole()

    (audited, found), (audited_in_shards, found_in_shards) = left(100), left(4)
    assert audited.equals(audited_in_shards)
    assert found.equals(found_in_shards)
    assert set(found["source"]) == {"corpus", "refusal"}  # of pairs what their answers do
    lines = dict(found.select("row_id", "line").iter_rows())
    assert all(audited["row_id"][line - 1] == row for row, line in lines.items())
    AUDITED.check(audited)


class _Forgetful:
    """A learner that shows in which order it was shown what."""

    def __init__(self, known: Known) -> None:
        self._seen: list[int] = []

    def learn(self, turns: pl.DataFrame) -> None:
        self._seen.append(turns["row"][0])

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        first = turns["row"][0]
        about = {"row": first, "finding": "odd", "severity": "low", "evidence": f"{self._seen} {named(0)}"}
        return seen([about])


def test_a_learner_is_shown_all_shards_in_order_before_it_finds(
    rows: pl.DataFrame, asked: Question, tmp_path: Path
) -> None:
    corpus = passes.corpus_of(cut(rows, 5, tmp_path))
    work = passes.Passes(corpus, asked.known(corpus), tmp_path, detectors=(), learners=(_Forgetful,))
    passes.run_passes(work, 1)
    found = write_findings(work, tmp_path, "findings", asked.decisions).whole()
    assert found["evidence"].to_list() == ["[0, 5, 10] row r0 (a.jsonl:1)"] * 3
    assert set(found["action"]) == {"block"}


def test_a_process_that_dies_is_an_error_in_words(rows: pl.DataFrame, asked: Question, tmp_path: Path) -> None:
    shards = cut(rows, 5, tmp_path)
    corpus = passes.corpus_of(shards)
    work = _Deadly(corpus, asked.known(corpus), tmp_path)
    with pytest.raises(CorpusError, match="one of 2 processes of the audit died.*set fewer processes"):
        passes.run_passes(work, 2)


class _Deadly(passes.Passes):
    def detect(self, number: int, turns: pl.DataFrame | None = None) -> None:
        os._exit(9)


def test_detectors_are_made_once_a_process(rows: pl.DataFrame, asked: Question, tmp_path: Path) -> None:
    made: list[Known] = []

    def counted(known: Known) -> Callable[[pl.DataFrame], pl.DataFrame]:
        made.append(known)
        return DETECTORS[0](known)

    corpus = passes.corpus_of(cut(rows, 2, tmp_path))
    passes.run_passes(passes.Passes(corpus, asked.known(corpus), tmp_path, detectors=(counted,)), 1)
    assert len(made) == 1
