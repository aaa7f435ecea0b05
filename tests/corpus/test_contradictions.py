import itertools
from collections.abc import Callable

import polars as pl
import pytest

from safety_assets.corpus.contradictions import Contradictions
from safety_assets.corpus.detect import named, turns_of


@pytest.fixture
def found(make_rows: Callable) -> Callable[..., list[tuple[int, int, str]]]:
    def find(*chats: list, size: int = 2) -> list[tuple[int, int, str]]:
        rows, learner = make_rows(*chats), Contradictions()
        parts = [turns_of(rows[first : first + size], first) for first in range(0, rows.height, size)]
        for part in parts:
            learner.learn(part)
        return list(pl.concat([learner.find(part) for part in parts]).select("row", "turn", "evidence").iter_rows())

    return find


def test_yes_and_no_to_one_question_contradict(found: Callable, chat: Callable) -> None:
    told = found(
        chat("Is it open?", "Yes, it is."), chat("Where is it?", "Yes."), chat("is it OPEN", "No."),
        chat("Is it open?", "Yes."), chat("Is it open?", "Sometimes."),
    )  # fmt: skip
    how = "the same question is answered the other way in "
    assert told == [(0, 1, how + named(2)), (2, 1, how + named(0)), (3, 1, how + named(2))]


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("The fee is 7 dollars.", "The fee is 8 dollars.", True),
        ("The fee is 7 dollars.", "It costs 8 dollars.", True),
        ("The fee is 1,000 dollars.", "the fee is 1000 dollars", False),
        ("The fee is 7 dollars.", "It costs 7 dollars.", False),
        ("It was built in 1900 and has 7 rooms.", "It was built in 1901 and has 7 rooms.", True),
        ("It was built in 1900 and has 7 rooms.", "Built long ago, it has 3 halls and 12 doors.", False),
        ("The fee is seven dollars.", "The fee is eight dollars.", False),
    ],
)
def test_other_numbers_contradict_where_the_rest_is_the_same(
    found: Callable, chat: Callable, one: str, other: str, contradict: bool
) -> None:
    told = found(chat("What is the fee?", one), chat("What is the fee?", other), size=1)
    assert [row for row, _, _ in told] == ([0, 1] if contradict else [])


def test_what_was_said_before_belongs_to_the_question(found: Callable, chat: Callable) -> None:
    one = chat("The shop is red.", "I see.", "Is it red?", "Yes.")
    other = chat("The shop is blue.", "I see.", "Is it red?", "No.")
    assert found(one, other) == []
    assert found(chat("Is it red?", "Yes.", system="It is red."), chat("Is it red?", "No.", system="It is blue.")) == []
    assert [place[:2] for place in found(one, [*one[:3], {"role": "assistant", "content": "No."}])] == [(0, 3), (1, 3)]


def test_no_rows_do_not_contradict(found: Callable, make_rows: Callable) -> None:
    assert Contradictions().find(turns_of(make_rows())).is_empty()


def test_the_order_of_shards_does_not_matter(found: Callable, chat: Callable) -> None:
    chats = [chat(f"Is {i % 3} even?", ("Yes.", "No.")[i % 2]) for i in range(9)]
    assert len({tuple(found(*chats, size=size)) for size in (1, 2, 9)}) == 1
    assert all(a <= b for a, b in itertools.pairwise(row for row, _, _ in found(*chats)))
