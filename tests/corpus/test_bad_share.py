import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binom

from safety_assets.corpus.bad_share import BadShare, bad_share, interval, quality_labelled
from safety_assets.corpus.labels import LABELLED
from safety_assets.policy import CorpusPolicy

ROWS = 5000


def sample(bad: int, labelled: int, of: int = 300, left: int = 0) -> pl.DataFrame:
    told = ["bad"] * bad + ["good"] * (labelled - bad) + [None] * (of - labelled)
    lines = [{"row_id": f"row{i}", "label": label, "state": "sample"} for i, label in enumerate(told)]
    gone = [{"row_id": f"left{i}", "label": "bad", "state": "left"} for i in range(left)]
    other = [{"row_id": "other", "label": "bad", "state": "other"}]
    return LABELLED.frame(lines + gone + other)


def status(labelled: pl.DataFrame, risk="high", rows: int = ROWS) -> str:
    return quality_labelled(labelled, rows, risk=risk, max_bad_share=0.1).status


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
    ("bad", "expected"), [(0, "pass"), (19, "pass"), (20, "not_certified"), (30, "not_certified"), (31, "fail")]
)
def test_the_limit_is_certified_by_the_upper_end(bad: int, expected: str) -> None:
    verdict = quality_labelled(sample(bad, 300), ROWS, risk="high", max_bad_share=0.1)
    assert verdict.status == expected
    assert bool(verdict.reasons) == (expected != "pass")


def test_labels_are_demanded_at_high_risk_only() -> None:
    nothing = sample(0, 0)
    verdict = quality_labelled(nothing, ROWS, risk="high", max_bad_share=0.1)
    assert verdict.status == "not_certified"
    assert "300 of the 300 sampled rows are not labelled, the first are row0, row1, row2" in verdict.reasons[0]
    assert "`safety-assets labels sample`" in verdict.reasons[0]
    assert status(nothing, "moderate") == status(nothing, "research") == "pass"
    assert status(sample(0, 299)) == "not_certified"
    assert status(sample(0, 0, of=0), rows=0) == "not_certified"


def test_bad_labels_fail_at_any_risk_once_they_are_sure() -> None:
    assert status(sample(12, 20), "research") == "fail"
    assert status(sample(1, 1), "research") == "pass"
    assert status(sample(3, 20)) == "not_certified"


def test_bad_rows_that_were_taken_out_count_on() -> None:
    assert status(sample(0, 300, left=40)) == "fail"
    assert status(sample(0, 300, left=19)) == "pass"
    shown = bad_share(sample(0, 300, left=19), ROWS)
    assert (shown.left, shown.of_other_rows, shown.within.share) == (19, 1, 19 / 319)
    assert "19 bad ones have left the corpus and count on" in str(shown)


def test_labels_of_other_rows_count_for_nothing() -> None:
    verdict = quality_labelled(sample(0, 0), ROWS, risk="high", max_bad_share=0.1)
    assert (verdict.numbers["labelled"], verdict.numbers["of_other_rows"]) == (0, 1)


@pytest.mark.parametrize(("bad", "expected"), [(0, "pass"), (2, "pass"), (3, "fail")])
def test_of_a_corpus_that_is_labelled_whole_nothing_is_estimated(bad: int, expected: str) -> None:
    assert status(sample(bad, 20, of=20, left=9), rows=20) == expected
    assert status(sample(0, 19, of=20), rows=20) == "not_certified"


def test_the_bounds_of_a_small_corpus_are_what_the_other_rows_can_still_change() -> None:
    found = BadShare(20, 20, 10, 1, (), 0).within
    assert (found.low, found.share, found.high) == (0.05, 0.1, pytest.approx(0.55))


def test_a_sample_that_can_never_certify_is_no_policy() -> None:
    assert status(sample(0, 36, of=36)) == "pass"
    CorpusPolicy(actions={}, label_sample=36)
    with pytest.raises(ValidationError, match=r"max_bad_share 0\.1 needs 36 labels"):
        CorpusPolicy(actions={}, label_sample=35)
