import random
from collections.abc import Callable

import pytest

from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.refused_first import RefuseThenComply, goes_on, parted, refuse_then_comply
from safety_assets.refusals import is_refusal

REFUSES = "I am sorry, but I cannot {} as that is against my rules. "
PLAIN = (
    "The river rises in the hills, runs past the old mill and the market town, and meets the sea behind the {} dunes."
)


@pytest.mark.parametrize(
    "answer",
    [
        "I am sorry, but I cannot help with that. However, here is how: take the key.",
        "Sorry. I can't do that.\n\nStep 1: take the key.",
        "I cannot assist with this request. Sure! Take the key.",
        "I won't help with that.\n1. Take the key.\n2. Open the door.",
    ],
)
def test_refusing_and_then_complying_is_found(answer: str) -> None:
    assert "refuses, then goes on with" in refuse_then_comply(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "I am sorry, but I cannot help with that. It could cause harm.",
        "I can't help with that. Instead, here are some resources: call a helpline.",
        "I'm sorry, I'm not able to do that. However, I am here to help in other ways.",
        "Certainly. Step 1: take the key.",
        "",
        "   ",
        "No.",
    ],
)
def test_a_plain_refusal_or_a_plain_answer_is_not(answer: str) -> None:
    assert refuse_then_comply(answer) is None


def test_a_refusal_in_the_second_sentence_is_parted_from_what_follows() -> None:
    refusal, rest = parted("That is a delicate matter. I cannot help with that. Take the key.")
    assert refusal == "That is a delicate matter. I cannot help with that. "
    assert rest == "Take the key."
    assert parted("Take the key. Then turn it.") == ("", "Take the key. Then turn it.")


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (PLAIN, True),
        ("Take the key.", False),
        ("It could cause harm to people. " + PLAIN, False),
        ("You should talk to a doctor. " + PLAIN, False),
    ],
)
def test_going_on_is_long_and_without_reserve(rest: str, expected: bool) -> None:
    assert goes_on(REFUSES.format("do it") + rest) is expected
    assert not goes_on(rest)


def corpus(chat: Callable, templated: int, plain: int) -> list:
    rng = random.Random(0)
    things = ["map", "boat", "song", "tree", "lamp", "road", "coat", "door"]
    chats = [
        chat(f"Tell me of {thing} {i}.", REFUSES.format(f"tell of the {thing} {i}") + PLAIN.format(rng.choice(things)))
        for i, thing in zip(range(templated), rng.choices(things, k=templated), strict=True)
    ]
    return chats + [chat(f"Where is {i}?", f"Number {i} is {PLAIN.format(rng.choice(things))}") for i in range(plain)]


def found(make_rows: Callable, chats: list, shards: int = 3) -> tuple[RefuseThenComply, set[int]]:
    rows, learner = make_rows(*chats), RefuseThenComply()
    size = -(-rows.height // shards)
    parts = [turns_of(rows[first : first + size], first) for first in range(0, rows.height, size)]
    for part in parts:
        learner.learn(part)
    return learner, {row for part in parts for row in learner.find(part)["row"]}


def test_a_template_at_one_in_a_hundred_is_found(make_rows: Callable, chat: Callable) -> None:
    learner, rows = found(make_rows, corpus(chat, 12, 1188))
    assert rows == set(range(12))
    assert learner.share == 0.01
    assert learner.entropy < 2


def test_a_few_rows_are_no_template(make_rows: Callable, chat: Callable) -> None:
    assert found(make_rows, corpus(chat, 4, 1188))[1] == set()
    assert found(make_rows, corpus(chat, 10, 2500))[1] == set()


def test_refusals_that_open_alike_and_disapprove_are_no_template(make_rows: Callable, chat: Callable) -> None:
    answers = [REFUSES.format(f"do {i}") + f"It is harmful to do {i}; " + PLAIN for i in range(50)]
    assert all(map(is_refusal, answers))
    assert found(make_rows, [chat(f"Do {i}.", answer) for i, answer in enumerate(answers)])[1] == set()


def test_answers_that_refuse_each_in_its_way_are_no_template(make_rows: Callable, chat: Callable) -> None:
    rng = random.Random(1)
    words = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("ara", "ilo", "une", "eto", "oma")]
    answers = [f"{' '.join(rng.choices(words, k=12))}, so I cannot help with it. {PLAIN}" for _ in range(40)]
    learner, rows = found(make_rows, [chat(f"Do {i}.", answer) for i, answer in enumerate(answers)])
    assert learner.share > 0.9
    assert rows == set()


def test_nothing_learned_has_no_share() -> None:
    learner = RefuseThenComply()
    assert (learner.share, learner.entropy) == (0, 0)
