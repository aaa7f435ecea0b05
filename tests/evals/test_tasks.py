"""Whole task sets: what is asked, what is recorded, and the score that is read out of it."""

from types import SimpleNamespace

import polars as pl
import pytest

from safety_assets.errors import EvaluationError
from safety_assets.evals.ask import ask_tasks
from safety_assets.evals.tasks import score_tasks, task_score
from safety_assets.records import RESPONSES, TASKS
from safety_assets.task_metric import Exact, JsonFields, MultipleChoice, Numeric, ResponseLoss

CITIES = ["Paris", "Rome", "Oslo"]


def tables(pairs):
    tasks = TASKS.frame([{"task_id": f"t{i}", "messages": [], "answer": a} for i, (a, _) in enumerate(pairs)])
    said = [
        {"model": "m", "probe_id": f"t{i}", "sample": 0, "completion": c}
        for i, (_, c) in enumerate(pairs)
        if c is not None
    ]
    return tasks, RESPONSES.frame(said)


def test_exact_after_normalising():
    out = score_tasks(*tables([("Two days", " two\n DAYS. "), ("4", "14"), ("x", None), ("", "x"), ("a", "")]), Exact())
    assert out["value"].to_list() == [1, 0, None, None, 0]
    assert out["unscored_reason"].is_not_null().to_list() == [False, False, True, True, False]


def test_a_score_counts_what_is_unscored_as_not_right_unless_all_is():
    tasks, responses = tables([("1", "1"), ("1", "2"), ("one", "1"), ("1", None)])
    assert task_score(score_tasks(tasks, responses, Numeric())) == 0.25
    assert task_score(score_tasks(tasks, responses.clear(), Numeric())) is None
    assert task_score(score_tasks(tasks.clear(), responses.clear(), Numeric())) is None
    shared = tables([('{"a": 1, "b": 2}', '{"a": 1, "b": 3}'), ('{"a": 1}', '{"a": 1}')])
    assert task_score(score_tasks(*shared, JsonFields())) == 0.75


def test_wrong_tables_are_refused():
    tasks, responses = tables([("a", "a"), ("b", "b")])
    with pytest.raises(EvaluationError, match="more than once"):
        score_tasks(pl.concat([tasks, tasks]), responses, Exact())
    with pytest.raises(EvaluationError, match="mix 2 models"):
        score_tasks(tasks, responses.with_columns(model=pl.col("probe_id")), Exact())


class Recorded:
    """A model that says what it was asked, and finds the second of two texts likelier."""

    model = "m"

    def generate(self, chats, max_new_tokens):
        return [SimpleNamespace(text=chat[-1]["content"], num_tokens=1, finish="stop") for chat in chats]

    def choice_logprobs(self, chats, choices):
        assert all(choices)
        return [[-2.0, -1.0, -3.0][: len(own)] for own in choices]


def asked(metric, rows):
    chat = [{"role": "user", "content": "B"}]
    tasks = TASKS.frame([{"task_id": f"t{i}", "messages": chat, **row} for i, row in enumerate(rows)])
    responses = ask_tasks(tasks, Recorded(), metric, max_new_tokens=4)
    return responses, score_tasks(tasks, responses, metric)


@pytest.mark.parametrize("by", ["completion", "option_likelihood", "letter_likelihood"])
def test_multiple_choice_is_asked_and_scored(by):
    rows = [{"answer": "Rome", "options": CITIES}, {"answer": "A", "options": CITIES}, {"answer": "A", "options": []}]
    responses, scores = asked(MultipleChoice(by=by), rows)
    assert scores["value"].to_list() == [1, 0, None]
    assert "0 options" in scores["unscored_reason"][2] or "no response" in scores["unscored_reason"][2]
    said = {"completion": "B", "option_likelihood": "Rome", "letter_likelihood": "B"}[by]
    assert scores["completion"][0] == said
    assert len(responses["choice_logprobs"][0]) == (0 if by == "completion" else 3)


def test_response_loss_records_the_reference_and_generates_nothing():
    responses, scores = asked(ResponseLoss(), [{"answer": "Rome"}, {"answer": " "}])
    assert responses.select("completion", "num_tokens", "choice_logprobs").rows() == [("", 0, [-2.0])]
    assert scores["value"].to_list() == [pytest.approx(0.1353352832), None]


def test_likelihoods_that_were_not_recorded_leave_the_items_unscored():
    tasks, responses = tables([("a", "a")])
    tasks = tasks.with_columns(options=pl.lit(["a", "b"], TASKS.schema["options"]))
    for metric in (ResponseLoss(), MultipleChoice(by="option_likelihood")):
        scores = score_tasks(tasks, responses, metric)
        assert scores["value"].to_list() == [None]
        assert "0 log-probabilities were recorded" in scores["unscored_reason"][0]
