"""The committed text is what the builder writes, and holds what it must and must not."""

import json
from pathlib import Path

import pytest

from data.build import bank, dirt, pool, requests
from data.build.__main__ import SEED, write_text
from data.build.item import dealt, dealt_combinations
from safety_assets.corpus.personal.find import find_pii
from safety_assets.evals.judges import refusal
from safety_assets.project import open_project
from safety_assets.refusals import is_refusal

DATA = Path(__file__).parents[2] / "data"


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def probes() -> list[dict]:
    return [row for path in sorted((DATA / "probes").rglob("*.jsonl")) for row in lines(path)]


@pytest.fixture(scope="module")
def pairs() -> list[dict]:
    return lines(DATA / "refusals" / "pairs.jsonl")


def test_the_committed_text_is_what_the_builder_writes(tmp_path: Path) -> None:
    write_text(tmp_path)
    written = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*.jsonl"))
    assert len(written) == 27
    for name in written:
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_no_probe_is_asked_in_the_pairs(probes: list[dict], pairs: list[dict]) -> None:
    def said(row: dict) -> str:
        return "".join(
            c for turn in row["messages"] if turn["role"] != "assistant" for c in turn["content"].lower() if c.isalnum()
        )

    last = {
        "".join(c for c in p["messages"][-1]["content"].lower() if c.isalnum())
        for p in probes
        if len(p["messages"][-1]["content"].split()) > 4
    }
    asked = {"".join(c for c in p["messages"][-2]["content"].lower() if c.isalnum()) for p in pairs}
    assert not last & asked
    assert not {said(p) for p in probes} & {said(p) for p in pairs}


def test_harm_in_the_probes_is_never_asked_for_in_the_pairs(probes: list[dict], pairs: list[dict]) -> None:
    topics = {t for p in probes if p["dimension"] == "safety" for t in p["targets"]}
    assert len(topics) > 100
    asked = " ".join(p["messages"][-2]["content"] for p in pairs if p["kind"] == "refusal")
    assert not [t for t in topics if t in asked]


def test_refusals_refuse_and_the_others_do_not(pairs: list[dict]) -> None:
    for pair in pairs:
        answer = pair["messages"][-1]["content"]
        if pair["kind"] == "refusal":
            assert refusal(answer)[0] == "full_refusal", answer
        if pair["kind"] == "lookalike":
            assert not is_refusal(answer), answer


def test_no_answer_in_the_project_holds_a_planted_code(pairs: list[dict]) -> None:
    answers = " ".join(p["messages"][-1]["content"] for p in pairs)
    assert not [code for code in requests.CANARIES.values() if code in answers]
    assert len(set(requests.CANARIES.values())) == 48


def test_the_pool_covers_what_the_policy_demands(pairs: list[dict]) -> None:
    covered = {p["category"] for p in pairs if p["kind"] == "refusal"}
    assert covered == set(open_project(DATA).policy().injection.categories)
    assert {k: sum(p["kind"] == k for p in pairs) for k in pool.COUNTS} == pool.COUNTS


def test_nobody_is_refused_in_the_bank() -> None:
    chats = bank.conversations(1, 500)
    assert not [c for c in chats for turn in c if turn["role"] == "assistant" and is_refusal(turn["content"])]


def test_the_tasks_ask_about_combinations_that_the_corpus_never_shows() -> None:
    corpus = (DATA / "corpus" / "support.jsonl").read_text()
    held = [(a, p) for a in bank.ACTIONS for p in bank.PRODUCTS if bank.held_out(f"{a} {p}")]
    assert len(held) >= 12
    assert not [pair for pair in held if f"{pair[0]} my {pair[1]}" in corpus]


def test_the_dirt_is_real(pairs: list[dict]) -> None:
    import random

    rng = random.Random(0)
    for _ in range(20):
        found = find_pii(f"My card number is {dirt.card_number(rng)}.")
        assert [span.kind for span in found] == ["payment_card"]
    assert SEED == 20


def test_combinations_and_wordings_are_dealt_out_once() -> None:
    options = tuple(f"option {i}" for i in range(50))
    parts = dealt_combinations(options)
    assert sorted([o for part in parts.values() for o in part]) == sorted(options)
    assert all(parts.values())
    wordings = dealt([f"{i}?" for i in range(6)], "key")
    assert sorted([w for part in wordings.values() for w in part]) == [f"{i}?" for i in range(6)]
