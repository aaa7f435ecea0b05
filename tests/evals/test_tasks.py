import polars as pl
import pytest

from safety_assets.errors import EvaluationError
from safety_assets.evals.tasks import is_right, score_tasks
from safety_assets.records import RESPONSES, TASKS


def tables(pairs):
    tasks = TASKS.frame([{"task_id": f"t{i}", "messages": [], "answer": a} for i, (a, _) in enumerate(pairs)])
    said = [
        {"model": "m", "probe_id": f"t{i}", "sample": 0, "completion": c}
        for i, (_, c) in enumerate(pairs)
        if c is not None
    ]
    return tasks, RESPONSES.frame(said)


def test_exact_after_normalising():
    out = score_tasks(*tables([("Two days", " two\n DAYS. "), ("4", "14"), ("x", None), ("", "x"), ("a", "")]), "exact")
    assert out["value"].to_list() == [1, 0, None, None, 0]
    assert out["unscored_reason"].is_not_null().to_list() == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("answer", "completion", "right"), [("4", "it is 4.", True), ("4", "14", False), ("C++", "use c++", True)]
)
def test_contains_whole_words(answer, completion, right):
    assert is_right(answer, completion, "contains") is right


def test_nothing_said_is_unscored():
    tasks, responses = tables([("a", "a")])
    assert score_tasks(tasks, responses.clear(), "exact")["value"].null_count() == 1


def test_wrong_tables_are_refused():
    tasks, responses = tables([("a", "a"), ("b", "b")])
    with pytest.raises(EvaluationError, match="more than once"):
        score_tasks(pl.concat([tasks, tasks]), responses, "exact")
    with pytest.raises(EvaluationError, match="mix 2 models"):
        score_tasks(tasks, responses.with_columns(model=pl.col("probe_id")), "exact")
    with pytest.raises(EvaluationError, match="metric fuzzy"):
        score_tasks(tasks, responses, "fuzzy")
