"""Spans of audited rows: from findings to the text as it stands after masking, and of pairs from their answers."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety_assets.corpus.clean import apply_findings, dose, marked, mask_spans, write_audited
from safety_assets.corpus.names import FINDING_NAMES
from safety_assets.corpus.spans import KINDS, moved
from safety_assets.frames import Shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED, FINDINGS, PAIRS, ROWS

ANSWER = "Write to ann@example.com. I cannot share personal data. It depends."


def rows() -> pl.DataFrame:
    chats = [("r0", "Who?", ANSWER), ("r1", "Hi", "Hello."), ("r2", "Help me", "No, I will not.")]
    return ROWS.frame(
        [
            {"row_id": name, "messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}],
             "source": "x.jsonl", "line": line, "group": name}
            for line, (name, q, a) in enumerate(chats, 1)
        ]
    )  # fmt: skip


def finding(row_id: str, name: str, part: str | None, action: str = "flag") -> dict:
    start = ANSWER.index(part) if part else None
    return {
        "row_id": row_id, "source": "x.jsonl", "line": 1, "finding": name, "severity": "low", "turn": 1,
        "start": start, "end": None if start is None else start + len(part), "evidence": "", "action": action,
    }  # fmt: skip


FOUND = [
    finding("r0", "hedged_answer", "It depends."),
    finding("r0", "email", "ann@example.com", "mask"),
    finding("r0", "partial_refusal", "I cannot share personal data."),
    finding("r0", "privacy_marker", "I cannot share personal data."),
    finding("r2", "refusal_in_corpus", None),
    finding("r1", "near_duplicate", None),
]


def said(frame: pl.DataFrame, row_id: str) -> list[tuple[str, str]]:
    (row,) = frame.filter(row_id=row_id).to_dicts()
    return [(s["kind"], row["messages"][s["turn"]]["content"][s["start"] : s["end"]]) for s in row["spans"] or []]


def test_spans_stand_where_their_words_stand_after_masking() -> None:
    found = FINDINGS.frame(FOUND)
    whole = apply_findings(rows(), found).join(marked(rows(), found), on="row_id", how="left")
    assert said(whole, "r0") == [
        ("privacy", "[EMAIL]"), ("privacy", "I cannot share personal data."),
        ("refusal", "I cannot share personal data."), ("hedge", "It depends."),
    ]  # fmt: skip
    assert said(whole, "r2") == [("refusal", "No, I will not.")]
    assert said(whole, "r1") == []


def test_a_span_that_touches_a_placeholder_holds_all_of_it() -> None:
    found = FINDINGS.frame([FOUND[1], finding("r0", "privacy_marker", "example.com. I")])
    whole = apply_findings(rows(), found).join(marked(rows(), found), on="row_id")
    assert said(whole, "r0") == [("privacy", "[EMAIL]"), ("privacy", "[EMAIL]. I")]


@pytest.mark.parametrize(("role", "spans"), [("assistant", [("privacy", "[EMAIL]")]), ("user", [])])
def test_a_mask_protects_where_the_model_speaks(role: str, spans: list[tuple[str, str]]) -> None:
    row, masked = rows().row(0, named=True), FINDINGS.frame([FOUND[1]])
    row["messages"][1]["role"] = role
    only = ROWS.frame([row])
    whole = apply_findings(only, masked).join(marked(only, masked), on="row_id", how="left")
    assert "[EMAIL]" in whole["messages"][0][1]["content"]
    assert said(whole, "r0") == spans


PLACES = st.lists(st.integers(0, 30), min_size=2, max_size=8, unique=True).map(sorted)


@given(edges=PLACES, start=st.integers(0, 29), length=st.integers(1, 30))
def test_what_is_not_masked_keeps_its_characters(edges: list[int], start: int, length: int) -> None:
    text = "".join(chr(ord("a") + i % 26) for i in range(30))
    end = min(30, start + length)
    masks = list(zip(edges[::2], edges[1::2], strict=False))
    masked = mask_spans(text, [(s, e, "email") for s, e in masks])
    first, last = moved(start, end, [(s, e, len("[EMAIL]")) for s, e in masks])
    inside = [(max(s, start), min(e, end)) for s, e in masks if s < end and start < e]
    expected = text[start:end]
    for s, e in reversed(inside):
        expected = expected[: s - start] + "[EMAIL]" + expected[e - start :]
    assert masked[first:last] == expected


def test_the_audited_corpus_carries_them_for_rows_and_pairs(tmp_path: Path) -> None:
    pairs = PAIRS.frame([
        {"row_id": "p0", "kind": "refusal", "category": "fraud", "messages": [
            {"role": "user", "content": "Forge it"}, {"role": "assistant", "content": "I cannot help with that."}]},
        {"row_id": "p1", "kind": "anchor", "category": "x", "messages": [
            {"role": "user", "content": "Capital?"}, {"role": "assistant", "content": "Paris."}]},
    ])  # fmt: skip
    audited = write_audited(
        Shards(ROWS, (rows(),)), Shards(FINDINGS, (FINDINGS.frame(FOUND),)), pairs,
        policy=CorpusPolicy(actions={}, held_out_share=0.0), seed=0, folder=tmp_path, choose=lambda corpus: pairs,
    ).whole()  # fmt: skip
    assert audited["row_id"].to_list() == ["r0", "r1", "r2", "p0", "p1"]
    assert audited["spans"].is_null().to_list() == [False, True, False, False, True]
    assert said(audited, "p0") == [("refusal", "I cannot help with that.")]
    assert said(audited, "r0")[-1] == ("hedge", "It depends.")
    assert dose(pairs)["spans"].to_list() == audited["spans"].to_list()[3:]


def test_a_table_from_before_there_were_spans_has_none() -> None:
    old = AUDITED.frame([{"row_id": "r", "messages": [], "origin": "corpus"}]).drop("spans")
    assert AUDITED.check(old)["spans"].to_list() == [None]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_span_is_one_that_tokens_can_be_marked_with(name: str) -> None:
    from safety_assets.models.marks import MARKS

    assert name in FINDING_NAMES
    assert KINDS[name] in MARKS
