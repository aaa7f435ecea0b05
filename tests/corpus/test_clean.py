from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety_assets.corpus.account import account
from safety_assets.corpus.clean import apply_findings, assemble, mask_spans
from safety_assets.errors import CorpusError
from safety_assets.records import AUDITED, FINDINGS, QUARANTINE, ROWS


def finding(
    row: str, name: str, action: str, turn: int | None = None, start: int | None = None, end: int | None = None
) -> dict:
    place = {"row_id": row, "source": "a.jsonl", "line": 1, "finding": name, "severity": "low", "evidence": "seen"}
    return {**place, "action": action, "turn": turn, "start": start, "end": end}


@pytest.fixture
def rows(make_rows: Callable, chat: Callable) -> pl.DataFrame:
    return make_rows(
        chat("Mail ann@x.example or bo@x.example.", "Done, thanks."), chat("b?", "b b."), chat("c?", "c c.")
    )


def test_only_dropped_rows_and_masked_spans_change(rows: pl.DataFrame) -> None:
    acts = [
        finding("r0", "email", "mask", 0, 5, 18),
        finding("r0", "email", "mask", 0, 22, 34),
        finding("r1", "low_quality", "drop", 1),
        finding("r2", "phone", "flag", 0, 0, 1),
    ]
    kept = apply_findings(rows, FINDINGS.frame(acts))
    assert kept["row_id"].to_list() == ["r0", "r2"]
    assert kept["messages"][0].to_list()[0]["content"] == "Mail [EMAIL] or [EMAIL]."
    assert kept["messages"][0].to_list()[1] == rows["messages"][0].to_list()[1]
    assert kept.row(1) == rows.row(2)
    assert apply_findings(rows, FINDINGS.empty()).equals(rows)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (finding("r0", "email", "block", 0, 5, 18), r"email on row r0 \(a.jsonl:1\) blocks.*corpus\.actions"),
        (finding("r0", "probe_overlap", "mask", 0), "cannot be masked"),
        (finding("r9", "email", "drop"), "row that is not there"),
    ],
)
def test_findings_that_cannot_be_applied_are_refused(rows: pl.DataFrame, act: dict, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason):
        apply_findings(rows, FINDINGS.frame([act]))


def test_overlapping_spans_become_one_placeholder_of_the_surest_kind() -> None:
    spans = [(0, 4, "phone"), (2, 8, "payment_card"), (8, 9, "email")]
    assert mask_spans("0123456789", spans) == "[PAYMENT_CARD][EMAIL]9"


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=6))
def test_masking_keeps_every_character_outside_the_spans(text: str, drawn: list[tuple[int, int]]) -> None:
    spans = [(start, min(start + size, len(text)), "email") for start, size in drawn if start < len(text)]
    hidden = {i for start, end, _ in spans for i in range(start, end)}
    outside = "".join(c for i, c in enumerate(text) if i not in hidden)
    assert mask_spans(text, spans).replace("[EMAIL]", "") == outside.replace("[EMAIL]", "")


def test_groups_stay_together_and_old_ones_in_their_split(
    make_rows: Callable, pairs: pl.DataFrame, chat: Callable
) -> None:
    few = make_rows(*(chat(f"question {i}?", "an answer") for i in range(200)))
    more = make_rows(*(chat(f"question {i}?", "an answer") for i in range(400)))
    first = assemble(few, pairs, held_out_share=0.2, seed=1)
    second = assemble(more, pairs, held_out_share=0.2, seed=1)
    AUDITED.check(first)
    splits = dict(first.select("row_id", "split").iter_rows())
    assert splits.items() <= dict(second.select("row_id", "split").iter_rows()).items()
    assert 20 < list(splits.values()).count("held_out") < 60
    assert splits != dict(assemble(few, pairs, held_out_share=0.2, seed=2).select("row_id", "split").iter_rows())
    assert set(first.filter(pl.col("origin") != "corpus")["split"]) == {"train"}
    assert set(assemble(few, pairs, held_out_share=0, seed=1)["split"]) == {"train"}


def test_a_corpus_group_that_holds_a_pair_is_trained(make_rows: Callable, pairs: pl.DataFrame, chat: Callable) -> None:
    audited = assemble(
        make_rows(chat("how do I clone a debit card", "At the desk.")), pairs, held_out_share=0.999, seed=0
    )
    assert set(audited["split"]) == {"train"}


def test_the_account_adds_up(rows: pl.DataFrame, pairs: pl.DataFrame) -> None:
    acts = FINDINGS.frame(
        [
            finding("r0", "email", "mask", 0, 5, 18),
            finding("r1", "low_quality", "drop", 1),
            finding("r1", "near_duplicate", "drop"),
            finding("r1", "email", "mask", 0, 0, 1),
            finding("r2", "phone", "flag", 0, 0, 1),
        ]
    )
    quarantine = QUARANTINE.frame([{"source": "a", "line": 9, "reason": "r", "excerpt": "e"}])
    audited = assemble(apply_findings(rows, acts), pairs, held_out_share=0, seed=0)
    counts = account(rows, quarantine, acts, audited)
    assert counts["lines"] == counts["kept"] + counts["dropped"] + counts["quarantined"] == 4
    assert (counts["kept"], counts["masked"], counts["flagged"], counts["pairs"]) == (2, 1, 1, pairs.height)
    assert counts["dropped_by"] == {"low_quality": 1, "near_duplicate": 1}
    assert counts["actions"]["email"] == {"mask": 2}


def test_a_row_that_vanishes_is_an_error(rows: pl.DataFrame, pairs: pl.DataFrame) -> None:
    audited = assemble(rows.head(2), pairs, held_out_share=0, seed=0)
    with pytest.raises(CorpusError, match="1 of 3 rows are not accounted for, the first is r2"):
        account(rows, QUARANTINE.empty(), FINDINGS.empty(), audited)
    with pytest.raises(CorpusError, match="r0"):
        account(ROWS.empty(), QUARANTINE.empty(), FINDINGS.empty(), audited)
