"""Suites that could not have shown a loss."""

import polars as pl
import pytest
from score_rows import scores_of

from safety_assets.errors import EvaluationError
from safety_assets.evals.informative import in_sentences, informative, saturated


def one(values: list[float | None], model: str = "base") -> pl.DataFrame:
    return scores_of(values, model=model, metrics=1, categories=2)


def test_a_suite_that_the_base_has_whole_and_plain_keeps_says_nothing() -> None:
    found = informative(one([1] * 60), one([1] * 60, "plain"))
    whole = found.filter(category="").row(0, named=True)
    assert not whole["informative"]
    assert whole["num_items"] == whole["num_groups"] == 60
    assert whole["unseen"] == pytest.approx(1 - 0.05 ** (1 / 60))
    (sentence,) = in_sentences(found)
    assert "uninformative" in sentence
    assert "4.9%" in sentence


def test_one_category_may_say_something_where_the_other_does_not() -> None:
    found = informative(one([1] * 60), one([1, 0] + [1] * 58, "plain"))
    assert dict(found.select("category", "informative").iter_rows()) == {"": True, "c0": False, "c1": True}
    assert found.filter(category="c1")["num_lost"].to_list() == [1]
    assert not list(in_sentences(found))


def test_a_base_with_room_is_informative_though_nothing_flipped() -> None:
    values = [1.0] * 9 + [0.0]
    assert informative(one(values), one(values, "plain")).filter(category="")["informative"].to_list() == [True]
    assert saturated(one(values)).is_empty()
    assert saturated(one([1, None, 1]))["num_items"].to_list() == [2]


def test_other_items_are_refused() -> None:
    with pytest.raises(EvaluationError):
        informative(one([1] * 4), one([1] * 5, "plain"))
