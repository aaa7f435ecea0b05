"""Two models on the same items: what is compared, what is refused, what flips without a cause."""

import polars as pl
import pytest
from score_rows import scores_of

from safety_assets.errors import EvaluationError
from safety_assets.evals.comparison import compared
from safety_assets.evals.deltas import compare
from safety_assets.evals.score_files import Facts, asked_digest, read_table, write_table
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.records import PROBES, RESPONSES, SCORES

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")
BASE = [1.0] * 80
TUNED = [0.0] * 20 + [1.0] * 60


def side(values, facts: Facts | None = None, **how):
    return scores_of(values, **{"metrics": 1, "categories": 4, **how}), facts or Facts()


def test_drops_categories_and_flips_are_those_of_the_gate() -> None:
    found = compared(side(BASE), side(TUNED, model="tuned"))
    known = compare(side(BASE)[0], side(TUNED, model="tuned")[0], DIMENSIONS, {}).filter(dimension="safety")
    assert found.dimensions.equals(known)
    (metric,) = found.metrics.to_dicts()
    assert (metric["metric"], metric["drop"], metric["num_lost"]) == ("m0", pytest.approx(2.5), 20)
    assert metric["drop_low"] <= 2.5 <= metric["drop_high"]
    assert found.categories["num_lost"].to_list() == [5, 5, 5, 5]
    assert (found.categories["p_adjusted"] >= found.categories["p_value"]).all()
    assert found.flipped["change"].to_list() == ["lost"] * 20
    assert (found.flips.num_lost, found.flips.num_gained, found.flips.rate) == (20, 0, 0.25)
    assert found.uninformative == ()


def test_a_dimension_without_all_its_metrics_is_compared_metric_by_metric() -> None:
    base, tuned = side(BASE, dimension="privacy"), side(TUNED, model="tuned", dimension="privacy")
    found = compared(base, tuned)
    (whole,) = found.dimensions.to_dicts()
    assert whole["drop"] is None
    assert "cannot be computed" in whole["unscored_reason"]
    assert found.metrics["drop"].to_list() == [pytest.approx(2.5)]


def test_unscored_items_are_counted_and_left_out() -> None:
    found = compared(side([None, *BASE[1:]]), side([*TUNED[:-2], None, None], model="tuned"))
    assert found.unscored == {"base": {"the judge was down": 1}, "tuned": {"the judge was down": 2}}
    assert found.dimensions["num_unscored"].to_list() == [3]
    assert found.flips.num_items == 77


def test_a_null_run_says_what_flips_without_a_cause() -> None:
    again = [*BASE[:-2], 0.0, 0.0]
    found = compared(side(BASE), side(TUNED, model="tuned"), side(again))
    assert found.null is not None
    assert found.null.rate == 2 / 80
    assert compared(side(BASE), side(TUNED, model="tuned")).null is None
    with pytest.raises(EvaluationError, match="the null run is of tuned"):
        compared(side(BASE), side(TUNED, model="tuned"), side(again, model="tuned"))


def test_what_the_base_has_all_of_and_nothing_lost_is_uninformative() -> None:
    assert compared(side(BASE), side(BASE, model="tuned")).uninformative == ("safety: m0",)
    assert compared(side(TUNED), side(TUNED, model="tuned")).uninformative == ()


@pytest.mark.parametrize(
    ("tuned", "says"),
    [
        (side(TUNED[:-1], model="tuned"), "1 items only in the baseline"),
        (side(TUNED, model="tuned", categories=5), "The probe sets differ"),
        (side(TUNED, model="tuned", judge="rules-2"), "differ in judge: rules-1 and rules-2"),
        (side(TUNED, Facts(probes_digest="b"), model="tuned"), "differ in probes: a and b"),
        (side(TUNED, Facts(max_new_tokens=8), model="tuned"), "differ in length of an answer .*: 4 and 8"),
        (side(TUNED, Facts(judge_digest="k"), model="tuned"), "differ in judge: j and k"),
        (side([], model="tuned"), "the tuned model has no scores"),
    ],
)
def test_what_is_not_the_same_exam_is_refused(tuned, says: str) -> None:
    facts = Facts(probes_digest="a", max_new_tokens=4, judge_digest="j")
    with pytest.raises(EvaluationError, match=says):
        compared(side(BASE, facts), tuned)


def test_mixed_models_are_refused() -> None:
    mixed = pl.concat([side(BASE)[0], side(BASE, model="tuned", dimension="privacy")[0]])
    with pytest.raises(EvaluationError, match="mixes answers of 2 models"):
        compared((mixed, Facts()), side(TUNED, model="tuned"))


def test_files_keep_their_facts_and_others_are_named(tmp_path) -> None:
    facts = Facts(name="m", model="d", probes="p", max_new_tokens=4, how={"dtype": "float32"})
    write_table(tmp_path / "s.parquet", side(BASE)[0], SCORES, facts)
    frame, read = read_table(tmp_path / "s.parquet", SCORES)
    assert (read, frame.equals(side(BASE)[0])) == (facts, True)
    side(BASE)[0].write_parquet(tmp_path / "bare.parquet")
    assert read_table(tmp_path / "bare.parquet", SCORES)[1] == Facts()
    (tmp_path / "text.parquet").write_text("no Parquet")
    for name in ("text.parquet", "s.parquet"):
        with pytest.raises(EvaluationError, match=f"{name} holds no responses"):
            read_table(tmp_path / name, RESPONSES)


def test_the_questions_are_what_their_digest_is_of() -> None:
    row = {
        "probe_id": "a", "dimension": "safety", "split": "gate", "metric": "m", "category": "c", "slice": "seen",
        "group": "g", "messages": [{"role": "user", "content": "Hi"}], "expect": "answer", "targets": ["x"],
        "forbidden": [], "choices": [],
    }  # fmt: skip
    both = PROBES.frame([row, {**row, "probe_id": "b"}])
    assert asked_digest(both) == asked_digest(both.reverse())
    assert asked_digest(both) == asked_digest(both.with_columns(metric=pl.lit("other")))
    assert asked_digest(both) != asked_digest(PROBES.frame([row, {**row, "probe_id": "b", "choices": ["y", "n"]}]))
