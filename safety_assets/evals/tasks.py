"""Task scores: what was recorded of a model's answers, marked by the project's metric."""

from collections.abc import Mapping
from typing import Any, assert_never

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals.task_metrics import likelihood, multiple_choice, text
from safety_assets.evals.task_metrics.grade import Grade, unscored
from safety_assets.evals.task_metrics.json_fields import json_fields
from safety_assets.evals.task_metrics.numeric import numeric
from safety_assets.evals.task_metrics.rouge import rouge
from safety_assets.records import RESPONSES, TASK_SCORES, TASKS
from safety_assets.task_metric import (
    AnyMetric,
    Contains,
    Exact,
    JsonFields,
    MultipleChoice,
    Numeric,
    Regex,
    ResponseLoss,
    Rouge,
)


def score_tasks(tasks: pl.DataFrame, responses: pl.DataFrame, metric: AnyMetric) -> pl.DataFrame:
    """One row per task item: a value from 0 to 1, or the reason why it is unscored.

    What the model said and cannot be read is wrong; an answer that cannot be read leaves its item unscored.

    Args:
        tasks: TASKS.
        responses: RESPONSES of one model; `probe_id` holds the task id, sample 0 is scored.
        metric: how an item is marked.

    Returns:
        TASK_SCORES in the order of the tasks.

    Raises:
        EvaluationError: an item occurs twice, or the responses are of several models.
    """
    tasks, responses = TASKS.check(tasks), RESPONSES.check(responses).filter(pl.col("sample") == 0)
    _once(tasks["task_id"], "tasks")
    _once(responses["probe_id"], "responses")
    models = responses["model"].unique().to_list()
    if len(models) > 1:
        raise EvaluationError(f"task responses mix {len(models)} models", expected="the responses of one model")
    said = {row["probe_id"]: row for row in responses.iter_rows(named=True)}
    model = models[0] if models else None
    return TASK_SCORES.frame([_score(model, row, said.get(row["task_id"]), metric) for row in tasks.to_dicts()])


def task_score(scores: pl.DataFrame) -> float | None:
    """Mean value of all items, an unscored one counting as 0; None when there is none or none is scored.

    Args:
        scores: TASK_SCORES.
    """
    values = TASK_SCORES.check(scores)["value"]
    return None if values.drop_nulls().is_empty() else float(values.fill_null(0.0).sum()) / len(values)


def grade(item: Mapping[str, Any], response: Mapping[str, Any], metric: AnyMetric) -> Grade:
    """What a metric says of one item.

    Args:
        item: a row of TASKS whose answer is not blank.
        response: the row of RESPONSES to it.
        metric: how it is marked.
    """
    answer, completion = item["answer"], response["completion"]
    options, logprobs = item["options"] or [], response["choice_logprobs"] or []
    match metric:
        case Exact():
            return text.exact(answer, completion)
        case Contains():
            return text.contains(answer, completion)
        case Regex():
            return text.regex(answer, completion, metric)
        case Numeric():
            return numeric(answer, completion, metric)
        case JsonFields():
            return json_fields(answer, completion, metric)
        case Rouge():
            return rouge(answer, completion)
        case MultipleChoice(by="completion"):
            return multiple_choice.by_completion(answer, options, completion)
        case MultipleChoice():
            return multiple_choice.by_likelihood(answer, options, logprobs)
        case ResponseLoss():
            return likelihood.response_loss(logprobs)
        case _:
            assert_never(metric)


def _score(
    model: str | None, item: Mapping[str, Any], response: Mapping[str, Any] | None, metric: AnyMetric
) -> dict[str, object]:
    found = _grade(item, response, metric)
    return {
        "model": model, "task_id": item["task_id"], "expected": item["answer"],
        "completion": response["completion"] if response else None,
        "value": found.value, "unscored_reason": found.unscored_reason,
    }  # fmt: skip


def _grade(item: Mapping[str, Any], response: Mapping[str, Any] | None, metric: AnyMetric) -> Grade:
    if not item["answer"] or not text.normalise(item["answer"]):
        return unscored("The task item has no answer to check against.")
    if response is None or response["completion"] is None:
        return unscored((response or {}).get("failure") or "The model gave no response to this item.")
    return grade(item, response, metric)


def _once(ids: pl.Series, what: str) -> None:
    twice = len(ids) - ids.n_unique()
    if twice:
        raise EvaluationError(f"{twice} {what} occur more than once", expected="each item once", do="remove the copies")
