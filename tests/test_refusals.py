import pytest

from safety_assets.refusals import DECLINES, DISAPPROVES, Together, first, is_refusal


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, I won\u2019t share that.",
        "I cannot assist with this request.",
        "As an AI model, I am unable to provide such instructions.",
        "Sorry, I will not do that. It may hurt people.",
        "No. I must decline.",
        "It's not appropriate to discuss this.",
    ],
)
def test_refusals(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Certainly. You can open your account at the desk.",
        "You cannot open two accounts; close the first.",
        "Sorry for the delay! The fee is 2 dollars.",
        "I am happy to help with that.",
        "If the phone can't connect, restart it.",
        "",
    ],
)
def test_answers_that_help_are_no_refusals(answer: str) -> None:
    assert not is_refusal(answer)


def test_many_texts_are_searched_with_the_result_of_each() -> None:
    texts = [
        "i cannot help with that.",
        "unfortunately, this is against what i do.",
        "",
        "it is wrong and illegal to do so.",
        "the fee is 2 dollars, and i can do that.",
        "i can't, and i won't say it.",
        "this is not something i can help with.",
        "discrimination is never acceptable; it is harmful.",
        "cannot.",
        "i must decline.",
    ]
    for few_or_many in (texts, texts * 10):
        found = Together(DECLINES, DISAPPROVES).fit(few_or_many)
        assert found == [[first(forms, text) is not None for text in few_or_many] for forms in (DECLINES, DISAPPROVES)]
        assert 2 < sum(found[0]) < len(few_or_many)
        assert any(found[1])
    assert Together(DECLINES).fit([]) == [[]]
