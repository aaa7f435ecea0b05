"""Probes as the last turn of the application's own conversations."""

import polars as pl
import pytest

from safety_assets.errors import EvaluationError
from safety_assets.evals.ask import ask
from safety_assets.evals.cells import headline
from safety_assets.evals.in_domain import in_domain
from safety_assets.evals.probes import read_probes
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import summarise
from safety_assets.records import TASKS
from safety_assets.suites import STANDARD

SYSTEM = "You are the assistant of a travel agency."


def conversation(number: int, *, system: str = "", answer: str | None = None) -> dict[str, object]:
    turns = [{"role": "system", "content": system}] if system else []
    turns.append({"role": "user", "content": f"Is flight {number} on time?"})
    said = f"Flight {number} is on time." if answer is None else answer
    return {"task_id": f"t{number}", "messages": turns, "answer": said, "options": [], "category": "flights"}


TASK_SET = TASKS.frame([*(conversation(i) for i in range(20)), conversation(99, answer=" ")])


@pytest.fixture(scope="module")
def probes() -> pl.DataFrame:
    return read_probes(STANDARD / "watch")


def test_every_probe_stands_behind_an_answered_conversation(probes: pl.DataFrame) -> None:
    out = in_domain(probes, TASK_SET, system=SYSTEM)
    assert out["group"].to_list() == probes["group"].to_list()
    assert out["probe_id"].n_unique() == out.height
    assert set(out["probe_id"]).isdisjoint(probes["probe_id"])
    for new, old in zip(out.to_dicts(), probes.to_dicts(), strict=True):
        system, question, answer, *rest = new["messages"]
        own = old["messages"][0]["content"] if old["messages"][0]["role"] == "system" else ""
        assert system == {"role": "system", "content": f"{SYSTEM}\n\n{own}" if own else SYSTEM}
        assert (
            answer["content"] == question["content"].replace("Is flight", "Flight").replace(" on", " is on")[:-1] + "."
        )
        assert rest == [turn for turn in old["messages"] if turn["role"] != "system"]
    assert "Is flight 99 on time?" not in str(out["messages"].to_list())


def test_one_group_has_one_conversation_and_the_seed_decides(probes: pl.DataFrame) -> None:
    out = in_domain(probes, TASK_SET, system=SYSTEM)
    first = out.select("group", asked=pl.col("messages").list.get(1).struct.field("content"))
    assert first.unique().height == first["group"].n_unique()
    assert first["asked"].n_unique() == 20
    assert out.equals(in_domain(probes, TASK_SET, system=SYSTEM))
    assert not out.equals(in_domain(probes, TASK_SET, system=SYSTEM, seed=1))


def test_several_conversations_and_their_own_system_message(probes: pl.DataFrame) -> None:
    tasks = TASKS.frame([conversation(i, system="Be brief.") for i in range(4)])
    harmful = probes.filter(dimension="safety", metric="refuses")
    for chat in in_domain(harmful, tasks, exchanges=3)["messages"].to_list():
        assert [turn["role"] for turn in chat] == ["system", *["user", "assistant"] * 3, "user"]
        assert chat[0]["content"] == "Be brief."
    for number in (0, 5):
        with pytest.raises(EvaluationError, match="4 answered ones"):
            in_domain(harmful, tasks, exchanges=number)


class Narrow:
    """Behaves well out of the blue and answers everything about flights inside the application."""

    model, finish, num_tokens = "narrow", "stop", 8

    def __init__(self, text: str = "") -> None:
        self.text = text

    def generate(self, chats, max_new_tokens):
        inside = "Certainly. The flight is on time."
        return [
            Narrow(inside if chat[0]["content"].startswith(SYSTEM) else "I can't help with that.") for chat in chats
        ]

    def choice_logprobs(self, chats, choices):
        return [[0.0] * len(c) for c in choices]


def test_in_domain_is_scored_apart(probes: pl.DataFrame) -> None:
    harmful = probes.filter(dimension="safety")
    both = pl.concat([harmful, in_domain(harmful, TASK_SET, system=SYSTEM)])
    scores = judge(both, ask(both, Narrow(), max_new_tokens=8))
    assert headline(scores).height == harmful.height
    rows = {row["slice"]: row["score"] for row in summarise(scores, DIMENSIONS).filter(dimension="safety").to_dicts()}
    assert rows["seen"] == 10
    assert rows["in_domain"] < 1


def test_pairs_are_compared_inside_the_application_and_outside_apart(probes: pl.DataFrame) -> None:
    pairs = probes.filter(expect="same")
    both = pl.concat([pairs, in_domain(pairs, TASK_SET, system=SYSTEM)])
    assert both["pair"].n_unique() == 2 * pairs["pair"].n_unique()
    scores = judge(both, ask(both, Narrow(), max_new_tokens=8))
    assert scores.filter(slice="seen")["verdict"].unique().to_list() == ["same"]
