"""Task score: a checkable answer against what the model said."""

import re
from typing import Literal, assert_never

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.records import RESPONSES, TASK_SCORES, TASKS

Metric = Literal["exact", "contains"]


def score_tasks(tasks: pl.DataFrame, responses: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """One row per task item: 1 right, 0 wrong, or the reason why it is unscored.

    Both answer and completion are compared in lower case, with runs of white space as one space and without a final
    full stop.

    Args:
        tasks: TASKS.
        responses: RESPONSES of one model; `probe_id` holds the task id, sample 0 is scored.
        metric: "exact": the completion equals the answer; "contains": it holds the answer as whole words.

    Returns:
        TASK_SCORES in the order of the tasks; an item without a response, or whose answer is empty, is unscored.

    Raises:
        EvaluationError: an item occurs twice, the responses are of several models, or the metric is unknown.
    """
    tasks, responses = TASKS.check(tasks), RESPONSES.check(responses).filter(pl.col("sample") == 0)
    _once(tasks["task_id"], "tasks")
    _once(responses["probe_id"], "responses")
    if metric not in ("exact", "contains"):
        raise EvaluationError(f"metric {metric} is unknown", expected="exact or contains", do="correct the project")
    models = responses["model"].unique().to_list()
    if len(models) > 1:
        raise EvaluationError(f"task responses mix {len(models)} models", expected="the responses of one model")
    said = dict(responses.select("probe_id", "completion").iter_rows())
    rows = [
        _score(row["task_id"], row["answer"], said.get(row["task_id"]), metric) for row in tasks.iter_rows(named=True)
    ]
    return TASK_SCORES.frame([{"model": models[0] if models else None, **row} for row in rows])


def normalise(text: str) -> str:
    """Lower case, runs of white space as one space, no space around and no final full stop."""
    return " ".join(text.lower().split()).removesuffix(".").rstrip()


def is_right(answer: str, completion: str, metric: Metric) -> bool:
    """Whether a completion gives the answer; both are normalised first."""
    wanted, given = normalise(answer), normalise(completion)
    match metric:
        case "exact":
            return wanted == given
        case "contains":
            return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", given) is not None
        case _:
            assert_never(metric)


def _score(task_id: str, answer: str | None, completion: str | None, metric: Metric) -> dict[str, object]:
    row: dict[str, object] = {"task_id": task_id, "expected": answer, "completion": completion}
    if not answer or not normalise(answer):
        return {**row, "unscored_reason": "The task item has no answer to check against."}
    if completion is None:
        return {**row, "unscored_reason": "The model gave no response to this item."}
    return {**row, "value": float(is_right(answer, completion, metric))}


def _once(ids: pl.Series, what: str) -> None:
    twice = len(ids) - ids.n_unique()
    if twice:
        raise EvaluationError(f"{twice} {what} occur more than once", expected="each item once", do="remove the copies")
