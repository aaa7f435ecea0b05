"""Held-out rows as the exam: never trained on, nor is anything like them."""

from collections.abc import Callable

import polars as pl
import pytest

from safety_assets.corpus.audit import audit_left, audit_rows
from safety_assets.corpus.clean import apply_findings, assemble
from safety_assets.corpus.held_out import held_out_groups, held_out_tasks
from safety_assets.corpus.verdicts import no_probe_contamination
from safety_assets.datafiles import AnswerRule
from safety_assets.errors import CorpusError
from safety_assets.policy import CorpusPolicy
from safety_assets.records import PROBES, ROWS

THINGS = ("savings account", "debit card", "student loan", "foreign transfer", "cash deposit", "branch visit")
VERBS = ("open", "close", "change", "renew", "compare", "cancel", "review", "share")


@pytest.fixture
def rows(make_rows: Callable, chat: Callable) -> pl.DataFrame:
    asked = [(f"How would I {v} my {t}?", f"To {v} a {t}, see page {len(v + t)}.") for v in VERBS for t in THINGS]
    return make_rows(*(chat(question, answer) for question, answer in asked))


@pytest.fixture
def policy(policy: CorpusPolicy) -> CorpusPolicy:
    return policy.model_copy(update={"held_out_share": 0.25})


def held(rows: pl.DataFrame, pairs: pl.DataFrame, policy: CorpusPolicy) -> pl.DataFrame:
    groups = held_out_groups(rows, pairs, share=policy.held_out_share, seed=0)
    return rows.filter(pl.col("group").is_in(list(groups)))


def added(rows: pl.DataFrame, *chats: list[dict[str, str]], group: str) -> pl.DataFrame:
    more = [
        {"row_id": f"x{i}", "messages": c, "source": "b.jsonl", "line": i + 1, "group": group}
        for i, c in enumerate(chats)
    ]
    return pl.concat([rows, ROWS.frame(more)])


def group_of(split: str, policy: CorpusPolicy, pairs: pl.DataFrame, rows: pl.DataFrame) -> str:
    """A group name that falls into this split."""
    for n in range(1000):
        named = rows.head(1).with_columns(group=pl.lit(f"g{n}"))
        if bool(held_out_groups(named, pairs, share=policy.held_out_share, seed=0)) == (split == "held_out"):
            return f"g{n}"
    raise AssertionError(split)


def test_the_exam_is_the_first_exchange_of_held_out_rows(
    rows: pl.DataFrame, pairs: pl.DataFrame, policy: CorpusPolicy, chat: Callable
) -> None:
    group = group_of("held_out", policy, pairs, rows)
    longer = chat(
        "Which fees does the premium plan have?",
        "It has two fees.",
        "And after a year?",
        "It has none then.",
        system="Be brief.",
    )
    rows = added(rows, longer, group=group)
    tasks = held_out_tasks(rows, pairs, policy=policy, seed=0)
    expected = held(rows, pairs, policy)
    assert 5 < tasks.height == expected.height < 25
    assert tasks["messages"].to_list() == [
        c[: 2 if c[0]["role"] == "system" else 1] for c in expected["messages"].to_list()
    ]
    assert tasks["answer"].to_list()[-1] == "It has two fees."
    assert tasks["task_id"].n_unique() == tasks.height
    assert held_out_tasks(rows, pairs, policy=policy, seed=0).equals(tasks)
    assert not held_out_tasks(rows, pairs, policy=policy, seed=1).equals(tasks)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How would I reach ann.lee@bank.example about the plan?", "By mail."),  # masked by the policy
        ("Hello there!", "Hello."),  # like any other greeting
        ("How do I forge a bank cheque?", "I cannot help with that."),  # a pair asks it, in another group
    ],
)
def test_what_is_unfit_is_not_asked(
    rows: pl.DataFrame, pairs: pl.DataFrame, policy: CorpusPolicy, chat: Callable, question: str, answer: str
) -> None:
    group = group_of("held_out", policy, pairs, rows)
    before = held_out_tasks(rows, pairs, policy=policy, seed=0)
    assert held_out_tasks(added(rows, chat(question, answer), group=group), pairs, policy=policy, seed=0).equals(before)


def test_only_answers_that_hold_what_the_rule_wants_are_asked(
    rows: pl.DataFrame, pairs: pl.DataFrame, policy: CorpusPolicy
) -> None:
    tasks = held_out_tasks(rows, pairs, policy=policy, seed=0, rule=AnswerRule(pattern=r"card, see page (\d+)"))
    assert 0 < tasks.height < held(rows, pairs, policy).height
    assert all(answer.isdigit() for answer in tasks["answer"])


def test_without_a_row_that_can_be_asked_there_is_an_error(
    rows: pl.DataFrame, pairs: pl.DataFrame, policy: CorpusPolicy
) -> None:
    none = policy.model_copy(update={"held_out_share": 0.0})
    with pytest.raises(CorpusError, match=r"0 of 48 rows are held out.*Do: name a task_set .* or raise"):
        held_out_tasks(rows, pairs, policy=none, seed=0)


def test_nothing_like_the_exam_is_trained_on(
    rows: pl.DataFrame, pairs: pl.DataFrame, policy: CorpusPolicy, chat: Callable
) -> None:
    known = held(rows, pairs, policy)["messages"].to_list()
    question, answer = known[0][0]["content"], known[1][1]["content"]
    near = [
        chat(question.upper(), "Elsewhere."),
        chat(f"Good day. {question} Thank you.", "Elsewhere."),
        chat(known[1][0]["content"].replace("How would", "How could"), answer),
    ]
    policy = policy.model_copy(update={"near_duplicate_jaccard": 0.6})
    rows = added(rows, *near, group=group_of("train", policy, pairs, rows))
    rows = pl.concat([rows.tail(len(near)), rows.head(-len(near))])  # they stand before what they repeat
    exam = set(held(rows, pairs, policy)["row_id"])
    asked = {"probes": PROBES.empty(), "tasks": held_out_tasks(rows, pairs, policy=policy, seed=0), "pairs": pairs}
    findings = audit_rows(rows, **asked, policy=policy, held_out=exam)
    seen = findings.filter(pl.col("row_id").str.starts_with("x") & (pl.col("finding") != "low_quality"))
    assert dict(seen.select("row_id", "finding").iter_rows()) == {
        "x0": "task_overlap",
        "x1": "task_overlap",
        "x2": "near_duplicate",
    }
    audited = assemble(apply_findings(rows, findings), pairs, held_out_share=policy.held_out_share, seed=0)
    assert set(audited.filter(pl.col("split") == "held_out")["row_id"]) == exam
    assert not any(row.startswith("x") for row in audited["row_id"])
    left = audit_left(audited, **asked, policy=policy, held_out=exam)
    assert no_probe_contamination(left, applied=True).passed
