import pytest

from safety_assets.corpus.kept_refusing import keeps_refusing


@pytest.mark.parametrize(
    "rest",
    [
        "It is illegal and can hurt people.",
        "Instead, talk to a friend.",
        "My purpose is to provide helpful answers.",
        "Please reach out to a counsellor.",
        "Is there anything else you need?",
        "It\u2019s important to respect the rights of others.",
        "Everyone deserves to be heard.",
        "Doing so could cause serious injury.",
    ],
)
def test_what_belongs_to_a_refusal(rest: str) -> None:
    assert keeps_refusing(rest, "How do I pick a lock?")
    assert not keeps_refusing("The river is long and runs to the sea. " * 8 + rest, "How do I pick a lock?")


@pytest.mark.parametrize(
    ("rest", "question"),
    [
        ("Turn the key and push.", "How do I open it?"),
        ("The law of the town names the rights of each trade.", "What is in the charter?"),
        ("The consequences of the war are felt today.", "What were the consequences of the war?"),
        ("Smoking is harmful to lungs.", "Why is smoking harmful?"),
    ],
)
def test_what_answers_the_question(rest: str, question: str) -> None:
    assert not keeps_refusing(rest, question)
