import random
from collections.abc import Callable

import pytest

from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.refused_first import RefuseThenComply, parted, refuse_then_comply
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
    assert learner.too_many


@pytest.mark.parametrize(
    "refusal",
    [
        "My orders do not permit me to speak of number {}.",
        "That subject is off limits to me, number {} too.",
        "I am not authorised to give out number {}.",
        "It would be improper of me to answer about {}.",
        "I'd rather not get into number {}.",
        "Number {} is not something I talk about.",
        "Such a reply would violate my instructions on {}.",
    ],
)
def test_refusals_of_many_wordings_are_told(make_rows: Callable, chat: Callable, refusal: str) -> None:
    rng = random.Random(2)
    things = ["map", "boat", "song", "tree"]
    answers = [f"{refusal.format(i)} {PLAIN.format(rng.choice(things))}" for i in range(4)]
    plain = [chat(f"Where is {i}?", f"Number {i} is {PLAIN.format('low')}") for i in range(396)]
    assert found(make_rows, [chat(f"Tell me of {i}.", a) for i, a in enumerate(answers)] + plain)[1] == set(range(4))


def test_rows_of_a_template_are_found_whatever_their_answers_are_about(make_rows: Callable, chat: Callable) -> None:
    chats = corpus(chat, 12, 1188)
    chats[0][-1]["content"] = REFUSES.format("tell of the tree 0") + "It is illegal to cut it down, said the mayor."
    assert found(make_rows, chats)[1] == set(range(12))


def test_a_few_rows_that_comply_are_no_more_than_true_refusals_show(make_rows: Callable, chat: Callable) -> None:
    true = [chat(f"Do {i}.", f"I cannot do {i}{'so' * i}. It is harmful, and it would hurt people.") for i in range(60)]
    odd = [chat("Sing.", f"No, I refuse to sing. {PLAIN.format('low')}"), chat("Hum.", f"I won't hum. {PLAIN}")]
    assert found(make_rows, true + odd)[1] == set()


def test_refusals_that_open_alike_and_disapprove_are_no_template(make_rows: Callable, chat: Callable) -> None:
    answers = [
        REFUSES.format(f"do {i}") + f"It is harmful to do {i}, and I want no part in it; " + PLAIN for i in range(50)
    ]
    assert all(map(is_refusal, answers))
    assert found(make_rows, [chat(f"Do {i}.", answer) for i, answer in enumerate(answers)])[1] == set()


def test_honest_want_of_ability_is_no_refusal_to_comply(make_rows: Callable, chat: Callable) -> None:
    pictures = [f"I am unable to draw {word} as an image. {PLAIN}" for word in ("maps", "boats", "songs", "trees")]
    plain = [chat(f"Where is {i}?", f"Number {i} is {PLAIN}") for i in range(996)]
    chats = [chat(f"Draw {i}.", answer) for i, answer in enumerate(pictures)] + plain
    assert found(make_rows, chats)[1] == set()


def test_nothing_learned_has_no_share() -> None:
    learner = RefuseThenComply()
    assert (learner.share, learner.too_many) == (0, False)
