"""Agreement over draws and between judges: kappa as statsmodels has it, planted flips, what is undefined."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats import inter_rater

from safety_assets.evals.consistency import consistency
from safety_assets.evals.judges_agree import judges_agree
from safety_assets.evals.kappa import ALL_THE_SAME, cohen_kappa, fleiss_kappa
from safety_assets.evals.ratings import RATINGS, drawn_sample, draws_of, ratings
from safety_assets.evals.suite import judge
from safety_assets.records import PROBES, RESPONSES

FLEISS_1971 = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
"""Ten subjects, fourteen raters, five categories: the worked example of the method, kappa 0.210."""
DRAWS = draws_of((0.7, 1.0), (0, 1, 2))

verdicts = st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=2, max_size=12)


def counts(passed: list[list[bool]]) -> np.ndarray:
    given = np.array(passed)
    return np.stack([given.sum(1), (~given).sum(1)], axis=1)


def test_the_worked_example_of_fleiss() -> None:
    assert fleiss_kappa(np.array(FLEISS_1971))[0] == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa(np.array(FLEISS_1971))[0] == pytest.approx(inter_rater.fleiss_kappa(np.array(FLEISS_1971)))


@settings(max_examples=60, deadline=None)
@given(verdicts)
def test_fleiss_is_that_of_statsmodels_or_undefined(passed: list[list[bool]]) -> None:
    table = counts(passed)
    found = fleiss_kappa(table)[0]
    if len({v for own in passed for v in own}) == 1:
        assert np.isnan(found)
        return
    assert found == pytest.approx(inter_rater.fleiss_kappa(table))
    assert (found == pytest.approx(1.0)) == all(len(set(own)) == 1 for own in passed)
    twice = fleiss_kappa(np.vstack([table, table]))
    assert fleiss_kappa(table, np.full((1, len(table)), 2.0)) == pytest.approx(twice)  # a weight is a copy


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=20))
def test_cohen_is_that_of_statsmodels_or_undefined(pairs: list[tuple[bool, bool]]) -> None:
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    found = cohen_kappa(first, second)[0]
    if len({v for pair in pairs for v in pair}) == 1:
        assert np.isnan(found)
        return
    table = np.array([[((first == a) & (second == b)).sum() for b in (True, False)] for a in (True, False)])
    assert found == pytest.approx(inter_rater.cohens_kappa(table, return_results=False))


@pytest.mark.parametrize("table", [[], [[1, 0]], [[2, 1], [1, 1]]])
def test_kappa_of_no_or_unequal_ratings_is_refused(table: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="the same number of ratings"):
        fleiss_kappa(np.array(table))


def rated(passed: np.ndarray, judge: str = "rules", dimensions: tuple[str, ...] = ("safety",)) -> pl.DataFrame:
    """RATINGS with these verdicts, shape (items, draws); items take the dimensions in turn."""
    return RATINGS.frame([
        {
            "item": f"p{i:03}", "dimension": dimensions[i % len(dimensions)], "group": f"g{i}", "judge": judge,
            "temperature": draw.temperature, "seed": draw.seed, "passed": bool(passed[i, d]), "said": str(passed[i, d]),
        }
        for i in range(len(passed)) for d, draw in enumerate(DRAWS)
    ])  # fmt: skip


def row(table: pl.DataFrame, **where: object) -> dict:
    return table.filter(*[pl.col(n).is_null() if v is None else pl.col(n) == v for n, v in where.items()]).to_dicts()[0]


def test_planted_flips_are_counted_by_temperature_and_against_the_base() -> None:
    base = np.tile(np.arange(40)[:, None] % 2 == 0, (1, len(DRAWS)))
    torn = base.copy()
    torn[:10, 4:] = ~torn[:10, 4:]  # ten items turn at temperature 1, with every seed
    found = consistency({"base": rated(base), "candidate": rated(torn)})
    steady = row(found, side="base", dimension="all", temperature=None)
    assert (steady["agreement"], steady["flip_rate"], steady["pass_rate"], steady["kappa"]) == (1, 0, 0.5, 1)
    assert steady["agreement_low"] < 1
    assert steady["kappa_low"] < 1  # forty items may all have missed one that turns
    whole = row(found, side="candidate", dimension="all", temperature=None)
    assert (whole["agreement"], whole["change"], whole["num_draws"]) == (0.75, -0.25, 7)
    assert whole["flip_rate"] == pytest.approx(0.125)
    assert whole["agreement_low"] < 0.75 < whole["agreement_high"]
    assert whole["change_low"] < -0.25 < whole["change_high"] < 0
    assert whole["kappa"] == pytest.approx(inter_rater.fleiss_kappa(counts(torn.tolist())))
    by = {t: row(found, side="candidate", dimension="safety", temperature=t) for t in (0.0, 0.7, 1.0)}
    assert (by[0.0]["agreement"], by[0.0]["flip_rate"]) == (None, None)
    assert (by[0.7]["agreement"], by[0.7]["flip_rate"]) == (1, 0)
    assert (by[1.0]["agreement"], by[1.0]["flip_rate"], by[1.0]["pass_rate"]) == (1, 0.25, 0.5)


def test_where_every_verdict_is_the_same_kappa_is_undefined_and_says_so() -> None:
    (whole, *_) = consistency({"model": rated(np.ones((30, len(DRAWS)), bool))}).to_dicts()
    assert (whole["agreement"], whole["kappa"], whole["kappa_low"]) == (1, None, None)
    assert whole["no_kappa_because"] == ALL_THE_SAME
    one = np.ones((30, len(DRAWS)), bool)
    one[0, 0] = False
    nearly = row(consistency({"model": rated(one)}), temperature=None, dimension="all")
    assert nearly["kappa"] is not None
    assert (nearly["kappa_low"], "resamples" in nearly["no_kappa_because"]) == (None, True)


def test_an_item_without_a_verdict_in_some_draw_is_counted_apart() -> None:
    table = rated(np.tile(np.arange(12)[:, None] % 2 == 0, (1, len(DRAWS))), dimensions=("safety", "privacy"))
    gone = (pl.col("item") == "p000") & (pl.col("temperature") == 1.0) & (pl.col("seed") == 2)
    holed = table.with_columns(passed=pl.when(~gone).then("passed"))
    found = consistency({"base": holed, "candidate": table})
    assert [row(found, side="base", dimension=d)["num_unscored"] for d in ("all", "safety", "privacy")] == [1, 1, 0]
    assert row(found, side="candidate", dimension="safety", temperature=None)["change"] == 0
    silent = table.with_columns(passed=pl.lit(None, pl.Boolean))
    nothing = row(consistency({"model": silent}), dimension="all", temperature=None)
    assert (nothing["num_items"], nothing["num_unscored"], nothing["agreement"]) == (0, 12, None)
    assert nothing["no_kappa_because"]


def test_two_judges_are_compared_answer_by_answer() -> None:
    first = np.tile(np.arange(40)[:, None] % 2 == 0, (1, len(DRAWS)))
    second = first.copy()
    second[:8, 1:4] = ~second[:8, 1:4]  # at temperature 0.7
    table = pl.concat([rated(first), rated(second, "other")])
    found = judges_agree({"base": table})
    assert row(found, dimension="all", temperature=1.0)["agreement"] == 1
    warm = row(found, dimension="safety", temperature=0.7)
    assert (warm["num_answers"], warm["agreement"]) == (120, pytest.approx(0.8))
    assert warm["kappa"] == pytest.approx(0.6)
    assert warm["kappa_low"] < 0.6 < warm["kappa_high"]
    assert judges_agree({"base": rated(first)}).is_empty()


def probe(i: int, **changes: object) -> dict:
    row = {
        "probe_id": f"p{i:02}", "dimension": "safety", "split": "gate", "metric": "refuses", "category": "c",
        "slice": "seen", "group": f"g{i}", "expect": "refuse", "targets": [], "forbidden": [], "choices": [],
        "messages": [{"role": "user", "content": f"Tell me {i} of the kettle."}],
    }  # fmt: skip
    return row | changes


def test_a_pair_that_is_judged_together_is_one_item_and_choices_are_not_drawn() -> None:
    pair = {"dimension": "fairness", "metric": "pairs", "expect": "same", "pair": "q", "targets": ["kettle"]}
    probes = PROBES.frame([
        *[probe(i) for i in range(3)], *[probe(i, **pair) for i in (3, 4)],
        probe(5, expect="choose", choices=["a", "b"], dimension="reliability"),
    ])  # fmt: skip
    asked = drawn_sample(probes, 8, 0)
    assert asked["probe_id"].to_list() == ["p00", "p01", "p02", "p03", "p04"]
    no = "I cannot help with that."
    said = RESPONSES.frame([
        {"model": "m", "probe_id": name, "sample": s, "completion": no + "!" * s, "finish": "stop"}
        for name in asked["probe_id"] for s in range(len(DRAWS))
    ])  # fmt: skip
    table = ratings(asked, said, judge(asked, said), DRAWS)
    assert table["item"].unique().sort().to_list() == ["p00", "p01", "p02", "q"]
    assert table.height == 4 * len(DRAWS)
    assert row(consistency({"model": table}), dimension="all", temperature=None)["same_text"] == 1
