"""What was answered before is not asked again: across kills, processes, models, precision and decoding."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import counted_model
import pytest
from counted_model import HOW, Counted, chats, target

from safety_assets.errors import ModelError, StoreError
from safety_assets.evals.kept import Kept
from safety_assets.evals.remembered import Remembered, Said, Told


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "deep" / "kept.sqlite", "answers")


def started(path: Path, number: int, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, counted_model.__file__, str(path), str(number), str(seconds)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def said(model: Remembered, number: int = 10, longest: int = 100) -> list[str]:
    return [one.text for one in model.generate(chats(number), longest)]


def test_the_second_time_nothing_is_asked_and_the_model_is_not_opened(kept: Kept) -> None:
    first = Counted()
    answers = said(Remembered(target(first), kept))
    assert answers == [f"m question {i}" for i in range(10)]
    assert len(first.asked) == 10

    def opened(told: object) -> Counted:
        raise AssertionError("opened")

    again = Remembered(replace(target(first), open=opened), kept)
    assert said(again) == answers
    assert (again.num_asked, again.num_remembered) == (0, 10)


def test_only_what_is_new_is_asked_once_and_the_order_stays(kept: Kept) -> None:
    model = Counted()
    asked = Remembered(target(model), kept)
    said(asked, 3)
    both = [*chats(6), *chats(6)]
    assert [one.text for one in asked.generate(both, 100)] == 2 * [f"m question {i}" for i in range(6)]
    assert sorted(model.asked) == [f"question {i}" for i in range(6)]


@pytest.mark.parametrize(
    "other",
    [
        {"model": Counted("other")},
        {"how": {**HOW, "dtype": "4bit"}},
        {"how": {**HOW, "decoding": "temperature 1, seed 0"}},
        {"longest": 4},
        {"sample": 1},
    ],
    ids=["model", "dtype", "decoding", "length", "sample"],
)
def test_nothing_is_shared_where_anything_differs(kept: Kept, other: dict) -> None:
    said(Remembered(target(Counted()), kept))
    model = other.get("model", Counted())
    asked = Remembered(target(model, other.get("how")), kept, sample=other.get("sample", 0))
    said(asked, longest=other.get("longest", 100))
    assert (asked.num_asked, asked.num_remembered) == (10, 0)


def test_a_template_that_renders_otherwise_is_asked_anew(kept: Kept) -> None:
    model = Counted()
    said(Remembered(target(model), kept))
    dated = replace(target(model), rendered=lambda cs: [f"today {c}" for c in cs])
    asked = Remembered(dated, kept)
    said(asked)
    assert asked.num_asked == 10


def test_likelihoods_are_kept_exactly_and_by_their_choices(kept: Kept) -> None:
    model = Counted()
    asked = Remembered(target(model), kept)
    first = asked.choice_logprobs(chats(2), [["yes", "nooo"], ["a"]])
    assert asked.choice_logprobs(chats(2), [["yes", "nooo"], ["a"]]) == first == [[-1.0, -4 / 3], [-1 / 3]]
    assert len(model.asked) == 2
    asked.choice_logprobs(chats(2), [["yes", "no"], ["a"]])
    assert len(model.asked) == 3


def test_an_answer_that_did_not_end_is_given_and_not_kept(kept: Kept) -> None:
    broken = Remembered(target(Counted(finish="error")), kept)
    assert [one.finish for one in broken.generate(chats(5), 100)] == ["error"] * 5
    whole = Remembered(target(Counted()), kept)
    assert [one.finish for one in whole.generate(chats(5), 100)] == ["stop"] * 5
    assert whole.num_asked == 5


def test_again_asks_and_replaces(kept: Kept) -> None:
    said(Remembered(target(Counted(voice="-old")), kept))
    new = Remembered(target(Counted(voice="-new")), kept, again=True)
    assert said(new)[0] == "m-new question 0"
    assert said(Remembered(target(Counted(voice="-third")), kept))[0] == "m-new question 0"


def test_other_weights_than_were_named_are_refused(kept: Kept) -> None:
    wrong = replace(target(Counted()), open=lambda told: Counted("other"))
    with pytest.raises(ModelError, match="changed while it was opened"):
        said(Remembered(wrong, kept))
    assert Kept(kept.path, "answers").find([]) == {}


def test_what_was_answered_before_a_kill_is_not_asked_again(kept: Kept) -> None:
    process = started(kept.path, 40, 0.05)
    assert process.stdout is not None
    done = json.loads([process.stdout.readline() for _ in range(3)][-1])["done"]
    process.kill()
    process.communicate()
    model = Counted()
    asked = Remembered(target(model), kept)
    answers = said(asked, 40)
    assert 12 <= done <= asked.num_remembered < 40
    assert asked.num_asked == 40 - asked.num_remembered
    assert [text.split(" ", 1)[1] for text in answers] == [f"question {i}" for i in range(40)]


def test_two_processes_at_once_end_with_the_same_answers_and_share_the_file(tmp_path: Path) -> None:
    both = [started(tmp_path / "new.sqlite", 60, 0.05) for _ in range(2)]
    ends = [json.loads(process.communicate(timeout=60)[0].splitlines()[-1]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert ends[0]["said"] == ends[1]["said"]
    assert len(ends[0]["said"]) == 60
    model = Counted()
    assert said(Remembered(target(model), Kept(tmp_path / "new.sqlite", "answers")), 60) == ends[0]["said"]
    assert model.asked == []


def test_answers_and_verdicts_do_not_meet(kept: Kept) -> None:
    kept.keep({"k": "answer"})
    verdicts = Kept(kept.path, "verdicts")
    assert verdicts.find(["k"]) == {}
    assert kept.find([*map(str, range(1200)), "k"]) == {"k": "answer"}


def test_the_first_value_stays(kept: Kept) -> None:
    assert kept.keep({"k": 1, "l": 2}) == {"k": 1, "l": 2}
    assert kept.keep({"k": 3, "m": 4}) == {"k": 1, "m": 4}
    assert kept.keep({"k": 3}, again=True) == {"k": 3}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    path.write_bytes(b"this is no database, and long enough to be taken for one" * 40)
    with pytest.raises(StoreError, match=r"kept.sqlite cannot be used: file is not a database"):
        Kept(path, "answers")


def test_progress_is_told_within_a_part_and_over_the_whole(kept: Kept) -> None:
    said(Remembered(target(Counted()), kept), 2)
    heard: list[tuple[int, int]] = []

    class Telling(Counted):
        def generate(self, chats: Sequence, max_new_tokens: int) -> list[Said]:
            self.told(1, 2)
            return super().generate(chats, max_new_tokens)

    def opened(told: Told) -> Telling:
        model = Telling()
        model.told = told
        return model

    telling = replace(target(Counted()), open=opened)
    said(Remembered(telling, kept, told=lambda done, of: heard.append((done, of))), 10)
    assert heard == [(4, 10), (6, 10), (8, 10), (10, 10)]
