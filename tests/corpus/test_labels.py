from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from safety_assets.corpus.labels import LABELS, drawn, joined, labelled, left_ids, read_labels, sheet
from safety_assets.errors import CorpusError
from safety_assets.frames import Shards
from safety_assets.records import FINDINGS, ROWS

IDS = [f"row{i}" for i in range(1000)]


def labels(*given: tuple[str, int, str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=LABELS.schema, orient="row")


def finding(row_id: str, action: str, **place: int) -> dict:
    return {"row_id": row_id, "source": "a", "line": 1, "finding": "email", "severity": "low", "evidence": "x",
            "action": action, **place}  # fmt: skip


@pytest.fixture
def shards(make_rows: Callable, chat: Callable) -> tuple[Shards, Shards]:
    """Twenty rows in two shards; the first is dropped, in the second the name is masked."""
    rows = make_rows(*[chat(f'Say "{i}",\nplease.', f"It is {i}.", system="Be kind.") for i in range(20)])
    found = [finding(rows["row_id"][0], "drop"), finding(rows["row_id"][1], "mask", turn=1, start=0, end=3)]
    parts = (rows.head(10), rows.tail(10))
    return Shards(ROWS, parts), Shards(FINDINGS, (FINDINGS.frame(found), FINDINGS.empty()))


def test_the_sheet_is_filled_in_and_read_back(shards: tuple[Shards, Shards], tmp_path: Path) -> None:
    left = list(left_ids(*shards))
    assert left == shards[0].whole()["row_id"].to_list()[1:]
    sample = drawn(left, 5, 3)
    made = sheet(sample, 3, labels((sample[1], 0, "bad", "bo")), *shards)
    assert made["row_id"].to_list() == sample
    assert made["chat"][0].startswith('[system] Be kind.\n\n[user] Say "')
    assert made.select("label", "who").rows() == [("", ""), ("bad", "bo"), ("", ""), ("", ""), ("", "")]
    told = [("good", "ann"), (" BAD ", "ann"), ("", ""), ("good", "bo"), ("", "bo")]
    filled = made.with_columns(label=pl.Series([t[0] for t in told]), who=pl.Series([t[1] for t in told]))
    filled.write_csv(tmp_path / "sheet.csv")
    assert read_labels(tmp_path / "sheet.csv").rows() == [
        (sample[i], 3, label, who) for i, label, who in ((0, "good", "ann"), (1, "bad", "ann"), (3, "good", "bo"))
    ]


def test_what_is_masked_is_masked_in_the_sheet(shards: tuple[Shards, Shards]) -> None:
    masked = shards[1].whole()["row_id"][1]
    (chat,) = sheet([masked], 0, LABELS.empty(), *shards)["chat"]
    assert "[user] [EMAIL] " in chat
    assert "Say" not in chat


def test_the_draw_does_not_depend_on_the_order_of_rows() -> None:
    assert drawn(IDS[::-1], 30, 1) == drawn(IDS, 30, 1)
    assert drawn(IDS, 30, 1) != drawn(IDS, 30, 2)
    kept = set(drawn([*IDS, *(f"new{i}" for i in range(50))], 30, 1))
    assert len(kept & set(drawn(IDS, 30, 1))) > 20


def test_labels_follow_row_ids_and_a_bad_row_that_was_taken_out_counts_on() -> None:
    sample = drawn(IDS, 3, 7)
    gone, grown, old = "gone", "grown", "old"
    given = labels(
        (sample[2], 1, "good", "ann"), (gone, 7, "bad", "ann"), ("gone-good", 7, "good", "ann"),
        (grown, 7, "bad", "ann"), (old, 1, "bad", "ann"),
    )  # fmt: skip
    found = labelled(sample, 7, given, present={sample[2], grown})
    assert found.select("row_id", "label", "state").rows() == [
        (sample[0], None, "sample"), (sample[1], None, "sample"), (sample[2], "good", "sample"),
        (gone, "bad", "left"), ("gone-good", "good", "other"), (grown, "bad", "other"), (old, "bad", "other"),
    ]  # fmt: skip


def test_a_newer_label_replaces_an_older_one() -> None:
    before = labels(("b", 0, "good", "ann"), ("a", 0, "good", "ann"))
    after = joined(before, labels(("b", 1, "bad", "bo")))
    assert after.rows() == [("a", 0, "good", "ann"), ("b", 1, "bad", "bo")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("row_id,draw,label\na,0,good\n", "no column who"),
        ("row_id;draw;label;who\na;0;good;ann\n", "no column row_id"),
        ("row_id,draw,label,who\na,0,fine,ann\n", "record 2 is labelled 'fine'"),
        ("row_id,draw,label,who\na,0,good,\n", "does not say who"),
        ("row_id,draw,label,who\na,-1,good,ann\n", "has the draw '-1'"),
        ("row_id,draw,label,who\na,0,good,ann\na,0,bad,bo\n", "record 3 labels row a again, and otherwise"),
        ('row_id,draw,label,who\n"a', "cannot be read as CSV"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(CorpusError, match=found):
        read_labels(path)


def test_a_file_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes("\ufeffrow_id,draw,label,who\r\na,0,Good,Ann\r\n".encode())
    assert read_labels(path).rows() == [("a", 0, "good", "Ann")]


def test_no_file_has_no_labels(tmp_path: Path) -> None:
    assert read_labels(tmp_path / "none.csv").is_empty()
