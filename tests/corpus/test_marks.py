"""Places of what answers do, in the messages that training reads: after masks, and of pairs."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from safety_assets.corpus.audit import Question, audit_rows, write_left
from safety_assets.corpus.clean import apply_findings, assemble
from safety_assets.corpus.marks import KINDS, marks
from safety_assets.corpus.names import FINDING_NAMES
from safety_assets.frames import in_shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED

SAID = "Ask ann@bank.example first. I'm sorry, but I can't help with that. Anything else?"


def test_marks_are_characters_of_the_audited_message(
    make_rows: Callable,
    make_questions: Callable,
    pairs: pl.DataFrame,
    policy: CorpusPolicy,
    chat: Callable,
    tmp_path: Path,
) -> None:
    probes, tasks = make_questions(("What is a probe?",), ("What is a task?",))
    known = {"probes": probes, "tasks": tasks, "pairs": pairs, "policy": policy}
    rows = make_rows(chat("Who may sign?", SAID))
    audited = assemble(apply_findings(rows, audit_rows(rows, **known)), pairs, held_out_share=0, seed=0)
    found = marks(write_left(in_shards(audited, AUDITED), Question(**known), tmp_path))
    placed = found.join(audited.select("row_id", "messages", "origin"), on="row_id")
    said = {
        (origin, mark, messages[turn]["content"][start:end])
        for _, turn, start, end, mark, messages, origin in placed.iter_rows()
    }
    assert ("corpus", "refusal", "I'm sorry, but I can't help with that.") in said
    assert ("corpus", "privacy", "[EMAIL]") in said
    refusing = audited.filter(pl.col("origin") == "refusal")["row_id"]
    assert set(refusing) <= set(found.filter(mark="refusal")["row_id"])


def test_every_mark_is_of_a_finding_there_is() -> None:
    assert set(KINDS) <= set(FINDING_NAMES)
