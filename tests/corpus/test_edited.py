from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety_assets.corpus.edited import MISSPELT, SMALL_EDIT, allowed_edits, edits, misspelt

QUESTION = ["how", "do", "i", "open", "my", "savings", "account", "today"]
WORD = st.text(alphabet="abcd", min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("how do i open my savings account today", 0),
        ("hello there how do i open my savings account today many thanks", 0),
        ("how do i open my svaings account today", MISSPELT),
        ("how can i open my savings account today", SMALL_EDIT),
        ("how do i open savings account today", SMALL_EDIT),
        ("how do i really open my savings account today", SMALL_EDIT),
        ("how do i open my account savings today", SMALL_EDIT),
        ("how do i close my savings account today", inf),
        ("how do i open my account today", inf),
        ("", inf),
    ],
)
def test_small_edits_cost_little_and_another_subject_fits_nowhere(text: str, cost: float) -> None:
    assert edits(QUESTION, text.split()) == cost


@given(st.lists(WORD, min_size=1, max_size=6), st.lists(WORD, max_size=4), st.lists(WORD, max_size=4))
def test_a_question_inside_a_text_needs_no_edit(question: list[str], before: list[str], after: list[str]) -> None:
    assert edits(question, before + question + after) == 0


@given(st.lists(WORD, min_size=2, max_size=6), st.data())
def test_one_typing_error_costs_at_most_that(question: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(question) - 1))
    wrong = question[place] + "x"
    expected = MISSPELT if len(wrong) >= 4 else inf
    assert edits(question, [*question[:place], wrong, *question[place + 1 :]]) <= expected


@pytest.mark.parametrize(
    ("word", "other", "near"),
    [
        ("account", "accuont", True),
        ("account", "acount", True),
        ("account", "accounts", True),
        ("account", "accoumt", True),
        ("account", "account", False),
        ("account", "acuont", False),
        ("cat", "car", False),
        ("2024", "2023", False),
        ("abcdx", "xabcd", False),
    ],
)
def test_misspelt_words(word: str, other: str, near: bool) -> None:
    assert misspelt(word, other) is near
    assert misspelt(other, word) is near


def test_long_questions_may_have_more_edits() -> None:
    assert [allowed_edits(n) for n in (3, 8, 16, 32)] == [1, 1, 2, 4]
