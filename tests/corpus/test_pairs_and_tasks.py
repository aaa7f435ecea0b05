from collections.abc import Callable

import pytest

from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.tasks import read_tasks
from safety_assets.datafiles import AnswerRule
from safety_assets.errors import CorpusError


def pair(chat: Callable, **keys: object) -> dict:
    return {"messages": chat("Steal it?", "I cannot help with that."), "kind": "refusal", "category": "theft", **keys}


def test_pairs_are_read_and_bad_ones_quarantined(given: Callable, chat: Callable) -> None:
    bad = [pair(chat, kind="refuse"), pair(chat, category=" "), {"messages": chat("a", "b"), "kind": "anchor"}]
    found = read_pairs([given("p.jsonl", pair(chat), *bad, pair(chat, kind="anchor"))])
    assert found.rows["kind"].to_list() == ["refusal", "anchor"]
    assert found.rows["row_id"][1] == found.rows["row_id"][0] + "-1"
    reasons = found.quarantine["reason"].to_list()
    assert "kind is 'refuse'. Expected: refusal, lookalike or anchor" in reasons[0]
    assert "category is blank" in reasons[1]
    assert "category is missing" in reasons[2]


def test_no_readable_pair_is_an_error(given: Callable, chat: Callable) -> None:
    with pytest.raises(CorpusError, match="no readable pair; line 1: kind is 'x'"):
        read_pairs([given("p.jsonl", pair(chat, kind="x"))])


def test_pairs_of_several_sources_are_read_in_turn(given: Callable, chat: Callable) -> None:
    first, second = given("a.jsonl", pair(chat)), given("b.jsonl", pair(chat, kind="anchor"), {"kind": "anchor"})
    found = read_pairs([first, second])
    assert found.rows["kind"].to_list() == ["refusal", "anchor"]
    assert found.quarantine["source"].to_list() == ["b.jsonl"]
    with pytest.raises(CorpusError, match=r"a\.jsonl, .*b\.jsonl holds no readable pair"):
        read_pairs([given("a.jsonl", {"kind": "x"}), given("b.jsonl", {"kind": "x"})])


def test_tasks_are_read(given: Callable, chat: Callable) -> None:
    tasks = read_tasks(
        given(
            "t.jsonl",
            {"messages": chat("2+2?"), "answer": "4"},
            {"messages": chat("a?"), "answer": "b", "category": "c"},
        )
    )
    assert tasks["answer"].to_list() == ["4", "b"]
    assert tasks["category"].to_list() == ["general", "c"]
    assert tasks["options"].to_list() == [[], []]


def test_options_are_read_in_order(given: Callable, chat: Callable) -> None:
    item = {"messages": chat("2+2?"), "answer": "B", "options": ["5", "4"]}
    assert read_tasks(given("t.jsonl", item))["options"].to_list() == [["5", "4"]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"messages": [{"role": "user", "content": "a?"}]}, "answer is missing"),
        ({"messages": [{"role": "user", "content": "a?"}], "answer": 4}, "answer is a number"),
        ({"messages": [{"role": "assistant", "content": "a?"}], "answer": "4"}, "message 1 is a assistant turn"),
        (b"{\n", "the line is not JSON"),
        (
            {"messages": [{"role": "user", "content": "a?"}], "answer": "A", "options": "4"},
            "options is no list of texts",
        ),
        ({"messages": [{"role": "user", "content": "a?"}], "answer": "A", "options": ["4"]}, "options is no list"),
        ({"messages": [{"role": "user", "content": "a?"}], "answer": "A", "options": ["x", " X"]}, "an option stands"),
        ({"messages": [{"role": "user", "content": "2+2?"}], "answer": "5"}, r"the same question as in t\.jsonl:1"),
    ],
)
def test_a_wrong_task_line_is_an_error_with_file_and_line(
    given: Callable, chat: Callable, line: object, reason: str
) -> None:
    with pytest.raises(CorpusError, match=rf"t\.jsonl:2: {reason}.*Do: "):
        read_tasks(given("t.jsonl", {"messages": chat("2+2?"), "answer": "4"}, line))


def test_pairs_may_have_any_shape(given: Callable, chat: Callable) -> None:
    line = {"question": "Steal it?", "answer": "I cannot help with that.", "kind": "refusal", "category": "theft"}
    found = read_pairs([given("p.jsonl", line)])
    assert found.rows["messages"].to_list() == [chat("Steal it?", "I cannot help with that.")]
    assert found.sources["not_read"].to_list() == [[]]


def test_the_last_answer_is_the_one_to_be_given(given: Callable, chat: Callable) -> None:
    lines = [
        {"question": "6 times 7?", "answer": "It is 6 * 7.\n#### 42", "category": "sums"},
        {"messages": chat("a?", "b", "c?", "#### d")},
        {"conversations": [{"from": "human", "value": "e?"}, {"from": "gpt", "value": "####  f "}]},
    ]
    tasks = read_tasks(given("t.jsonl", *lines), AnswerRule(after="####"))
    assert tasks["answer"].to_list() == ["42", "d", "f"]
    assert tasks["messages"].to_list() == [chat("6 times 7?"), chat("a?", "b", "c?"), chat("e?")]
    assert tasks["category"].to_list() == ["sums", "general", "general"]


def test_an_answer_without_its_mark_is_an_error_with_file_and_line(given: Callable) -> None:
    lines = [{"question": "a?", "answer": "#### 1"}, {"question": "b?", "answer": "2"}]
    with pytest.raises(CorpusError, match=r"t\.jsonl:2: the answer holds no text after '####'.*Do: .*task_answer"):
        read_tasks(given("t.jsonl", *lines), AnswerRule(after="####"))
    with pytest.raises(CorpusError, match=r"t\.jsonl:1: the answer holds no text that fits '=\(x\)'"):
        read_tasks(given("t.jsonl", *lines), AnswerRule(pattern="=(x)"))
