from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from safety_assets.corpus.labels import LABELS, drawn, interval, quality_labelled, read_labels, sample_for_labels
from safety_assets.errors import CorpusError

IDS = [f"row{i}" for i in range(1000)]


def labels(bad: int, rows: list[str], who: str = "ann") -> pl.DataFrame:
    return LABELS.frame(
        [{"row_id": row, "label": "bad" if i < bad else "good", "who": who} for i, row in enumerate(rows)]
    )


def test_the_sample_is_filled_in_and_read_back(make_rows: Callable, chat: Callable, tmp_path: Path) -> None:
    rows = make_rows(*[chat(f'Say "{i}",\nplease.', f"=It is {i}.", system="Be kind.") for i in range(20)])
    sample = sample_for_labels(rows, 5, seed=3)
    assert sample["row_id"].to_list() == drawn(rows["row_id"].to_list(), 5, 3)
    assert sample["chat"][0].startswith('[system] Be kind.\n\n[user] Say "')
    told = [("good", "ann"), (" BAD ", "ann"), ("", ""), ("good", "bo"), ("", "bo")]
    path = tmp_path / "sample.csv"
    filled = sample.with_columns(label=pl.Series([t[0] for t in told]), who=pl.Series([t[1] for t in told]))
    filled.write_csv(path)
    assert read_labels(path).rows() == [
        (sample["row_id"][i], label, who)
        for i, label, who in ((0, "good", "ann"), (1, "bad", "ann"), (3, "good", "bo"))
    ]


def test_the_draw_does_not_depend_on_the_order_of_rows() -> None:
    assert drawn(IDS[::-1], 30, 1) == drawn(IDS, 30, 1)
    assert drawn(IDS, 30, 1) != drawn(IDS, 30, 2)
    kept = set(drawn([*IDS, *(f"new{i}" for i in range(50))], 30, 1))
    assert len(kept & set(drawn(IDS, 30, 1))) > 20


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("row_id,label\na,good\n", "no column who"),
        ("row_id,label,who\na,fine,ann\n", "record 2 is labelled 'fine'"),
        ("row_id,label,who\na,good,\n", "does not say who"),
        ("row_id,label,who\na,good,ann\na,bad,bo\n", "record 3 labels row a again, and otherwise"),
        ('row_id,label,who\n"a', "cannot be read as CSV"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(CorpusError, match=found):
        read_labels(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read as CSV"):
        read_labels(tmp_path / "none.csv")


@given(st.integers(1, 400), st.data())
def test_the_interval_is_exact(labelled: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, labelled))
    found = interval(bad, labelled)
    assert found.low <= found.share <= found.high
    if bad:
        assert binom.sf(bad - 1, labelled, found.low) == pytest.approx(0.025)
    if bad < labelled:
        assert binom.cdf(bad, labelled, found.high) == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("bad", "status"), [(0, "pass"), (19, "pass"), (20, "not_certified"), (30, "not_certified"), (31, "fail")]
)
def test_the_limit_is_certified_by_the_upper_end(bad: int, status: str) -> None:
    verdict = quality_labelled(IDS, labels(bad, drawn(IDS)), risk="high")
    assert verdict.status == status
    assert bool(verdict.reasons) == (status != "pass")


def test_labels_are_demanded_at_high_risk_only() -> None:
    nothing = LABELS.empty()
    assert quality_labelled(IDS, nothing, risk="high").status == "not_certified"
    assert "300 of the 300 sampled rows are not labelled" in quality_labelled(IDS, nothing, risk="high").reasons[0]
    assert quality_labelled(IDS, nothing, risk="moderate").passed
    assert quality_labelled([], nothing, risk="high").status == "not_certified"


def test_bad_labels_fail_at_any_risk_once_they_are_sure() -> None:
    some = drawn(IDS)[:20]
    assert quality_labelled(IDS, labels(12, some), risk="research").status == "fail"
    assert quality_labelled(IDS, labels(1, some[:1]), risk="research").passed
    assert quality_labelled(IDS, labels(3, some), risk="high").status == "not_certified"


def test_labels_of_another_corpus_say_nothing() -> None:
    others = [f"other{i}" for i in range(300)]
    verdict = quality_labelled(IDS, labels(0, others), risk="high")
    assert verdict.status == "not_certified"
    assert verdict.numbers["of_other_rows"] == 300


def test_a_small_corpus_is_labelled_whole() -> None:
    assert quality_labelled(IDS[:40], labels(0, IDS[:40]), risk="high").passed
    assert quality_labelled(IDS[:20], labels(0, IDS[:20]), risk="high").status == "not_certified"
