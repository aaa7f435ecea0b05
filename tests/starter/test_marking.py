"""How a new project's tasks are marked: what fits their answers, and what is refused."""

import polars as pl
import pytest

from safety_assets.datafiles import AnswerRule
from safety_assets.errors import CorpusError, ProjectError
from safety_assets.records import TASKS
from safety_assets.starter.marking import as_setting, fitting, marking, parse_metric, parse_rule, rule_in
from safety_assets.task_metric import Contains, Exact, MultipleChoice, Numeric, Regex


def tasks(*answers: str, options: tuple[str, ...] = ()) -> pl.DataFrame:
    """TASKS with these answers."""
    chat = [{"role": "user", "content": "How many?"}]
    return TASKS.frame(
        [
            {"task_id": str(n), "messages": chat, "answer": answer, "options": list(options), "category": "general"}
            for n, answer in enumerate(answers)
        ]
    )


TEXT = "Open the account page, choose the card and press the button that says replace."


@pytest.mark.parametrize(
    ("given", "metric"),
    [
        (tasks("3", "$1,200", "-4.5", "20 %"), "numeric"),
        (tasks("3", "1,23"), "contains"),
        (tasks('{"a": 1}', '{"a": "x"}'), "json_fields"),
        (tasks("yes", "no", "Yes", "no"), "exact"),
        (tasks("page 3", "page 4"), "contains"),
        (tasks("A", "B", options=("red", "blue")), "multiple_choice"),
        (tasks(TEXT, "3"), "response_loss"),
    ],
)
def test_the_metric_fits_the_answers(given: pl.DataFrame, metric: str) -> None:
    chosen, why = fitting(given)
    assert chosen.metric == metric
    assert why.startswith("since ")
    assert marking(given, None, None).metric == chosen


def test_the_usual_mark_is_found_where_a_number_follows_it_everywhere() -> None:
    assert rule_in(tasks("1 + 1 = 2\n#### 2", "#### 1,000")) == AnswerRule(after="####")
    assert rule_in(tasks("1 + 1 = 2\n#### 2", "two")) is None
    assert rule_in(tasks("#### Heading", "#### 2")) is None


@pytest.mark.parametrize(
    ("metric", "given", "says"),
    [
        (Numeric(), tasks("3", "page three"), "numeric does not mark 1 of 2 .*'page three': The answer is not one"),
        (MultipleChoice(), tasks("A"), "multiple_choice does not mark 1 of 1 .* 0 options"),
        (Regex(pattern="is ([0-9]{0,1})$"), tasks("it is "), "regex does not mark 1 of 1"),
    ],
)
def test_a_metric_by_which_the_answers_are_wrong_is_refused(metric, given: pl.DataFrame, says: str) -> None:
    with pytest.raises(CorpusError, match=says):
        marking(given, metric, None)


def test_what_the_user_asks_for_is_kept() -> None:
    found = marking(tasks("3", "4"), Contains(), AnswerRule(after="is"))
    assert (found.metric, found.rule) == (Contains(), AnswerRule(after="is"))
    assert found.why == "contains, as asked for; the answer is what follows 'is'"


def test_options_are_read_as_names_marks_or_objects() -> None:
    assert parse_metric("exact") == Exact()
    assert parse_metric("{metric: numeric, tolerance: 0.01}") == Numeric(tolerance=0.01)
    assert parse_rule("####") == AnswerRule(after="####")
    assert parse_rule("{pattern: 'is (.+)'}") == AnswerRule(pattern="is (.+)")
    assert as_setting(Numeric(tolerance=0.01)) == {"metric": "numeric", "tolerance": 0.01}
    assert as_setting(AnswerRule(after="####")) == {"after": "####"}


@pytest.mark.parametrize("said", ["luck", "regex", "{metric: numeric, tolerance: -1}", "{metric: numeric", "{a: 1}"])
def test_what_is_no_metric_is_named(said: str) -> None:
    with pytest.raises(ProjectError, match="metric"):
        parse_metric(said)


@pytest.mark.parametrize("said", ["{after: a, pattern: '(b)'}", "{pattern: '('}", "{pattern: a}", "{before: a}"])
def test_what_is_no_rule_is_named(said: str) -> None:
    with pytest.raises(ProjectError, match="task-answer"):
        parse_rule(said)
