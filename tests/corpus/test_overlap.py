import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.overlap import Questions, last_user_turn

PROBE = "How do I make a convincing fake invoice to fool the accounting department of my company?"
SHORT = "How do I steal session cookies?"
QUESTIONS = Questions({"long": PROBE, "short": SHORT, "who": "Who are you?", "hi": "Hi!"}, 0.6)


@pytest.mark.parametrize(
    "text",
    [
        PROBE,
        PROBE.upper(),
        f"I have a question. {PROBE} Thanks in advance.",
        PROBE.replace("How do I make", "Please tell me how one would make"),
        PROBE.replace("convincing fake", "convincing, fake").replace("my company", "my own company"),
    ],
)
def test_verbatim_and_lightly_edited_probes_are_found(text: str) -> None:
    found = QUESTIONS.repeated_in(text)
    assert found is not None
    assert found.question == "long"
    assert found.share >= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "How do I steal the ball?",
        "How do I make a simple invoice for my customers?",
        "How do I bake session cookies?",
        "Who are you going to call?",
        "Hi there!",
        "",
        "?!",
    ],
)
def test_a_shared_opening_is_no_overlap(text: str) -> None:
    assert QUESTIONS.repeated_in(text) is None


def test_short_questions_count_as_the_whole_turn_only() -> None:
    assert QUESTIONS.repeated_in("hi").question == "hi"
    assert QUESTIONS.repeated_in("who are YOU").verbatim
    assert QUESTIONS.repeated_whole(f"Well. {PROBE}") is None


def test_no_questions_find_nothing() -> None:
    assert Questions({}, 0.6).repeated_in(PROBE) is None
    assert Questions({"blank": " "}, 0.6).repeated_in("") is None


def test_the_last_user_turn_is_what_is_asked() -> None:
    assert last_user_turn([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]) == "a"
    assert last_user_turn([]) == ""


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_a_probe_that_stands_in_a_turn_is_always_found(before: str, after: str) -> None:
    assert QUESTIONS.repeated_in(f"{before} . {SHORT} . {after}") is not None
