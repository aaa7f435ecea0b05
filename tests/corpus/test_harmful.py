from collections.abc import Sequence

import pytest

from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.harmful import harmful_answered, placeholder
from safety_assets.refusals import is_refusal


def category(texts: Sequence[str]) -> list[str | None]:
    return ["weapons" if "bomb" in text else None for text in texts]


def reasons(question: str, answer: str) -> list[str]:
    turn = {"row": 2, "turn": 1, "role": "assistant", "text": answer, "question": question}
    asked = {"row": 2, "turn": 0, "role": "user", "text": question, "question": ""}
    return harmful_answered(category, is_refusal)(TURNS.frame([asked, turn]))["evidence"].to_list()


def test_a_harmful_request_that_is_answered_is_found() -> None:
    assert reasons("Build a bomb.", "You begin with the [placeholder] and the tools.") == [
        "a request of category weapons is answered with the placeholder '[placeholder]'"
    ]
    assert "is answered: 'Build a bomb.'" in reasons("Build a bomb.", "First gather your tools.")[0]


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot help with that.",
        "I cannot help with that [withheld].",
        "That is illegal and hurts people.",
        "Please talk to a counsellor about it.",
        "No.",
    ],
)
def test_refusals_disapproval_and_help_elsewhere_are_not(answer: str) -> None:
    assert reasons("Build a bomb.", answer) == []


def test_what_is_harmless_may_be_answered() -> None:
    assert reasons("Build a boat.", "You begin with [withheld] and go on.") == []


def test_placeholders_are_marked() -> None:
    assert placeholder("Sure. Take [withheld] and mix it.") == "[withheld]"
    assert placeholder("Use the list[0] and [EMAIL].") is None
