"""How the tasks of a new project are marked: what the user says, else what fits their answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import yaml
from pydantic import TypeAdapter, ValidationError

from safety_assets.datafiles import AnswerRule
from safety_assets.errors import CorpusError, ProjectError
from safety_assets.evals.task_metrics.json_fields import read_object
from safety_assets.evals.tasks import grade
from safety_assets.policy import ProbePolicy
from safety_assets.task_metric import (
    AnyMetric,
    Contains,
    Exact,
    JsonFields,
    MultipleChoice,
    Numeric,
    ResponseLoss,
    TaskMetric,
    compares_likelihoods,
)

MARK = AnswerRule(after="####")
"""Where published sums put their answer; looked for where no rule is given."""
NUMBER = re.compile(r"[^\w\s]?\s*[-+]?\d[\d.,]*\s*[^\w\s]?")
SHORT_WORDS, MOST_LABELS = 5, 20


@dataclass(frozen=True, kw_only=True)
class Marking:
    """How answers are found and marked.

    Args:
        metric: of project.yaml.
        rule: task_answer of project.yaml; None takes all of an answer.
        why: one sentence.
    """

    metric: AnyMetric
    rule: AnswerRule | None
    why: str


def parse_metric(said: str) -> AnyMetric:
    """A metric as --task-metric names it: `numeric`, or `{metric: numeric, tolerance: 0.01}`; ProjectError if none."""
    metric: AnyMetric = _validated(TypeAdapter(TaskMetric), _value(said), f"--task-metric {said}")
    return metric


def parse_rule(said: str) -> AnswerRule:
    """A rule as --task-answer gives it: the mark before the answer, or `{after: ...}` or `{pattern: ...}`."""
    value = _value(said)
    wanted = {"after": value} if isinstance(value, str) else value
    rule: AnswerRule = _validated(TypeAdapter(AnswerRule), wanted, f"--task-answer {said}")
    return rule


def rule_in(tasks: pl.DataFrame) -> AnswerRule | None:
    """The usual mark, where a number follows it in every answer of TASKS."""
    found = [MARK.find(answer) for answer in tasks["answer"].to_list()]
    return MARK if all(answer and NUMBER.fullmatch(answer) for answer in found) else None


def marking(tasks: pl.DataFrame, metric: AnyMetric | None, rule: AnswerRule | None) -> Marking:
    """The metric that was asked for, if it marks these answers right, else the one that fits them.

    Args:
        tasks: TASKS, answers as the rule found them.
        metric: what the user wants; None leaves the choice.
        rule: where the answers stand.

    Raises:
        CorpusError: the metric cannot mark more of the reference answers than a policy lets go unscored.
    """
    chosen, why = (metric, "as asked for") if metric is not None else fitting(tasks)
    _demand_markable(tasks, chosen)
    where = f"; the answer is what follows {rule.after!r}" if rule is not None and rule.after else ""
    return Marking(metric=chosen, rule=rule, why=f"{chosen.metric}, {why}{where}")


def fitting(tasks: pl.DataFrame) -> tuple[AnyMetric, str]:
    """A metric for these answers, and the reason in words."""
    answers: Sequence[str] = tasks["answer"].to_list()
    if all(len(options or ()) > 1 for options in tasks["options"].to_list()):
        return MultipleChoice(), "since every task has options"
    if all(NUMBER.fullmatch(answer.strip()) for answer in answers) and not _wrong(tasks, Numeric()):
        return Numeric(), "since every answer is a number"
    if all(answer.lstrip().startswith("{") and read_object(answer) for answer in answers):
        return JsonFields(), "since every answer is a JSON object"
    labels = {answer.strip().lower() for answer in answers}
    if len(labels) <= min(MOST_LABELS, len(answers) // 2) and all(len(label.split()) == 1 for label in labels):
        return Exact(), f"since every answer is one of {len(labels)} words"
    if all(len(answer.split()) <= SHORT_WORDS for answer in answers):
        return Contains(), f"since no answer is longer than {SHORT_WORDS} words"
    return ResponseLoss(), "since the answers are longer texts: how likely the model finds them is measured"


def _demand_markable(tasks: pl.DataFrame, metric: AnyMetric) -> None:
    """Every reference answer, taken for a model's, is right: a metric that says otherwise is the wrong one."""
    if compares_likelihoods(metric):
        return
    wrong = _wrong(tasks, metric)
    if len(wrong) > ProbePolicy().max_unscored_share * tasks.height:
        answer, reason = wrong[0]
        raise CorpusError(
            f"{metric.metric} does not mark {len(wrong)} of {tasks.height} reference answers as right, first "
            f"{answer!r:.70}: {reason}",
            expected="a metric by which the reference answer is right",
            do="name another --task-metric, or say with --task-answer where the answer stands in it",
        )


def _wrong(tasks: pl.DataFrame, metric: AnyMetric) -> list[tuple[str, str]]:
    """Reference answers that would not be right if a model gave them, each with the reason."""
    graded = [
        (row["answer"], grade(row, {"completion": row["answer"], "choice_logprobs": []}, metric))
        for row in tasks.to_dicts()
    ]
    return [(answer, found.unscored_reason or "it is wrong.") for answer, found in graded if found.value != 1.0]


def _value(said: str) -> object:
    """Text as it is; what begins with a brace is YAML."""
    if not said.lstrip().startswith("{"):
        return said
    try:
        return yaml.safe_load(said)
    except yaml.YAMLError as error:
        raise ProjectError(f"{said} is not YAML: {error}", do="write {key: value}, texts in quotes") from error


def _validated(adapter: TypeAdapter, value: object, what: str) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        found = f"{what}: {key + ': ' if key else ''}{first['msg']}"
        raise ProjectError(found, do="correct it; project.yaml explains every key") from error


def as_setting(settings: AnyMetric | AnswerRule) -> dict:
    """A metric or rule as project.yaml holds it: its name, and what differs from the defaults."""
    values = settings.model_dump(mode="json", exclude_defaults=True)
    return values if isinstance(settings, AnswerRule) else {"metric": settings.metric, **values}
