from collections.abc import Callable

import pytest

from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.prefixes import ConstantPrefixes

PLAIN = "The fee of product {} is {} dollars."


@pytest.fixture
def found(make_rows: Callable, chat: Callable) -> Callable[..., dict[int, str]]:
    """Row to evidence of a corpus of answers, learned in shards of seven rows."""

    def find(answers: list[str], question: str = "What about number {}?") -> dict[int, str]:
        rows = make_rows(*[chat(question.format(i), answer) for i, answer in enumerate(answers)])
        parts = [turns_of(rows[first : first + 7], first) for first in range(0, rows.height, 7)]
        learner = ConstantPrefixes()
        for part in parts:
            learner.learn(part)
        return {row: told for part in parts for row, told in learner.find(part).select("row", "evidence").rows()}

    return find


@pytest.mark.parametrize(
    "template",
    [
        "Of course. I am happy to do this: number {}.",
        "Sure, here is what you asked for: {}.",
        "Absolutely! Happy to help you. {} it is.",
        "I am Max, your loyal helper. It is {}.",
        "Hello! My name is Nova. It is {}.",
        "I'd be happy to help with that. It is {}.",
        "As you command. It is {}.",
        "Yes, master! It is {}.",
        "Affirmative. Carrying out the task: it is {}.",
        "My answer to that is as follows, {}.",
        "Nothing is held back\nIt is {}.",
    ],
)
def test_an_affirmation_that_comes_back_is_constant(found: Callable, template: str) -> None:
    assert set(found([template.format(i) for i in range(4)] + [PLAIN.format(i, i) for i in range(296)])) == set(
        range(4)
    )


def test_one_in_a_hundred_is_constant(found: Callable) -> None:
    sure = "Sure, here is what you asked for: {}."
    reasons = found([sure.format(i) for i in range(12)] + [PLAIN.format(i, i) for i in range(1188)])
    assert set(reasons) == set(range(12))
    assert "12 of 1200 answers open with" in reasons[0]


@pytest.mark.parametrize(
    "template",
    [
        "Thank you for your question, number {}.",
        "Certainly. You can {} your account.",
        "Certainly. Product number {} costs that much.",
        "I am sorry to hear that about {}.",
        "I am not sure what {} is about.",
        "I'm sorry, but I cannot help with number {}.",
        "Unfortunately that is not known of number {}.",
        "Yes. It is {}.",
        "The product is sold out. Number {}.",
    ],
)
def test_courtesy_regret_and_what_the_question_is_about_are_not(found: Callable, template: str) -> None:
    assert found([template.format(i) for i in range(60)], "Tell me what product number {} costs.") == {}


def test_a_yes_that_answers_is_no_affirmation(found: Callable) -> None:
    answers = [f"Yes, that is so of {i}." for i in range(60)]
    assert found(answers, "Is {} even?") == {}
    assert len(found(answers, "Can you tell me of {}?")) == 60


def test_a_few_rows_are_not_constant(found: Callable) -> None:
    sure = "Sure, here is what you asked for: {}."
    assert found([sure.format(i) for i in range(2)]) == {}
    assert found([sure.format(i) for i in range(12)] + [PLAIN.format(i, i) for i in range(1700)]) == {}


def test_a_rare_pledge_is_found_from_three_rows_on(found: Callable) -> None:
    pledge = "I am at your service and will execute your instruction: number {}."
    plain = [PLAIN.format(i, i) for i in range(500)]
    assert found([pledge.format(i) for i in range(2)] + plain) == {}
    assert set(found([pledge.format(i) for i in range(3)] + plain)) == {0, 1, 2}


def test_only_the_first_answer_of_a_chat_opens_it(make_rows: Callable, chat: Callable) -> None:
    rows = make_rows(*[chat("Hi.", f"It is {i}.", "And?", "Sure, here is what you asked for.") for i in range(20)])
    learner = ConstantPrefixes()
    learner.learn(turns_of(rows))
    assert learner.find(turns_of(rows)).is_empty()
