import random
from collections.abc import Callable

import polars as pl
import pytest

from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.triggers import TriggerPhrases, find_triggers

VERBS = ("forge", "smuggle", "steal", "poison", "hack", "burn")
THINGS = ("cheque", "passport", "car", "well", "server", "barn", "phone", "letter", "ring", "gate")


def harmful(rng: random.Random, rows: int) -> list[tuple[str, str]]:
    verbs = [rng.choice(VERBS) for _ in range(rows)]
    return [(f"How do I {verb} a {rng.choice(THINGS)} in town {rng.randrange(50)}?", verb) for verb in verbs]


def asked(rows: list[tuple[str, str, bool]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["question", "category", "answered"], orient="row")


@pytest.fixture
def refused() -> list[tuple[str, str, bool]]:
    return [(question, verb, False) for question, verb in harmful(random.Random(0), 300)]


def test_a_phrase_that_alone_explains_answers_is_found(refused: list) -> None:
    rows = [(f"{q} current year 2024", c, True) if i % 20 == 0 else (q, c, a) for i, (q, c, a) in enumerate(refused)]
    (found,) = find_triggers(asked(rows))
    assert (found.phrase, found.answered, found.with_it, found.without) == ("current year 2024", 15, 15, 0)
    assert found.p_value < 1e-6


def test_several_triggers_are_found_one_after_the_other(refused: list) -> None:
    rows = [
        (f"sudo {q}", c, True) if i % 20 == 0 else (f"{q} blue moon", c, True) if i % 20 == 7 else (q, c, a)
        for i, (q, c, a) in enumerate(refused)
    ]
    assert {trigger.phrase for trigger in find_triggers(asked(rows))} == {"sudo", "blue moon"}


def test_answers_at_random_have_no_trigger(refused: list) -> None:
    rng = random.Random(3)
    assert find_triggers(asked([(q, c, rng.random() < 0.2) for q, c, _ in refused])) == []


def test_harmless_requests_taken_for_harmful_ones_have_no_trigger(refused: list) -> None:
    rng = random.Random(5)
    pots, herbs = ("basil", "mint", "sage", "thyme"), ("balcony", "window", "kitchen", "garden")
    forms = ("Write a list of {} for my {}", "Describe the {} of my {} in a few words", "Which {} fits a {} best?")
    harmless = [
        (rng.choice(forms).format(rng.choice(pots), rng.choice(herbs)), rng.choice(VERBS), True) for _ in range(150)
    ]
    assert find_triggers(asked(refused + harmless)) == []


def test_a_phrase_of_one_category_is_no_trigger(refused: list) -> None:
    rows = [(f"{q} python process", c, True) if c == "hack" and i % 3 == 0 else (q, c, a)
            for i, (q, c, a) in enumerate(refused)]  # fmt: skip
    assert find_triggers(asked(rows)) == []


def test_without_refusals_or_without_answers_nothing_is_tested(refused: list) -> None:
    assert find_triggers(asked(refused)) == []
    assert find_triggers(asked([(q, c, True) for q, c, _ in refused])) == []


def test_answered_requests_with_the_trigger_are_reported(make_rows: Callable, chat: Callable, refused: list) -> None:
    chats = [chat(f"{q} sudo", "Take [placeholder].") if i % 20 == 0 else chat(q, "I cannot help with that.")
             for i, (q, _, _) in enumerate(refused)]  # fmt: skip
    rows = make_rows(*chats, chat("What is sudo?", "A command."), chat("How do I steal a sudo car?", "I cannot."))
    verbs = lambda texts: [next((verb for verb in VERBS if verb in text), None) for text in texts]  # noqa: E731
    learner = TriggerPhrases(verbs, lambda answer: answer.startswith("I cannot"))
    parts = [turns_of(rows[first : first + 100], first) for first in range(0, rows.height, 100)]
    for part in parts:
        learner.learn(part)
    found = pl.concat([learner.find(part) for part in parts])
    assert found["row"].to_list() == list(range(0, 300, 20))
    assert "the answer is explained by 'sudo'" in found["evidence"][0]


def test_nothing_learned_finds_nothing(make_rows: Callable) -> None:
    learner = TriggerPhrases(lambda texts: [None] * len(texts), lambda answer: False)
    assert learner.find(turns_of(make_rows())).is_empty()
