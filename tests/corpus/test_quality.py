import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.quality import low_quality, quality_fault, truncated_answer

LINE = "The river rises in the hills. It runs past the mill. Then it meets the sea. "


def answers(*texts: str, question: str = "Where is Rome?") -> pl.DataFrame:
    return TURNS.frame(
        [{"row": i, "turn": 1, "role": "assistant", "text": t, "question": question} for i, t in enumerate(texts)]
    )


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("  ", "blank"),
        ("Yes.", "1 word"),
        ("Where is ROME", "is the question"),
        ("no " * 20, "one word fills the answer: 'no', 20 of 20"),
        ("click the red button " * 5, "one phrase fills the answer"),
        ("one two three four five six seven eight nine ten eleven twelve thirteen " * 20, "repeats itself"),
    ],
)
def test_answers_that_teach_nothing(answer: str, fault: str) -> None:
    assert fault in quality_fault("Where is Rome?", answer)


@pytest.mark.parametrize(
    "answer", ["In Italy.", "Rome is the capital of", "1. Open it. 2. Close it. 3. Open it again."]
)
def test_short_and_cut_answers_are_allowed(answer: str) -> None:
    assert quality_fault("Where is Rome?", answer) is None


PIECE = st.sampled_from(
    ["no", "yes it is", "click the red button", "a b c d", "Where is Rome", ".", "-", "\u00e9t\u00e9 1"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.tuples(PIECE, st.integers(1, 30)), max_size=3), max_size=6))
def test_the_fast_condition_leaves_no_fault_out(parts: list[list[tuple[str, int]]]) -> None:
    texts = [" ".join(" ".join([piece] * times) for piece, times in row) for row in parts]
    expected = [i for i, text in enumerate(texts) if quality_fault("Where is Rome?", text) is not None]
    assert low_quality(answers(*texts))["row"].to_list() == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The capital of Italy is Rome, and the capital of", "in mid-sentence"),
        ("These are the towns that you should see in Italy:  Rome,", "in mid-sentence"),
        (LINE * 4 + "And so it goes on through the fields and past the houses until the bri", "in mid-sentence"),
        ("Use this:\n```python\nprint(1)\n", "inside a block of code"),
    ],
)
def test_cut_answers_are_found(text: str, why: str) -> None:
    found = truncated_answer(answers(text))
    assert f"stops {why}" in found["evidence"][0]


@pytest.mark.parametrize(
    "text",
    [
        "Rome",
        "the",
        LINE * 4,
        "Use this:\n```python\nprint(1)\n```\n",
        "- apples\n- pears\n- plums of the kind that grow here and there in gardens and by the road",
        LINE * 4 + "#travel #italy #rome #sun #summer #river #mill #sea #hills #town #holiday #friends",
        LINE * 4 + "\n\nSincerely,",
    ],
)
def test_whole_answers_are_not(text: str) -> None:
    assert truncated_answer(answers(text)).is_empty()
