"""RAIL Score through its own client, against a server on loopback that speaks its contract."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rail_server import CONFIG, KEY, Contract, speaking, well

from safety_assets.errors import ProjectError
from safety_assets.policy import DIMENSIONS
from safety_assets.records import OPINIONS
from safety_assets.served.care import Care
from safety_assets.served.rail import Answer, Rail
from safety_assets.served.rail_settings import KEY_VARIABLE, RailSettings

pytest.importorskip("rail_score_sdk", reason="the extra `rail` is not installed")

QUICK = Care(concurrency=2, timeout=1.0, tries=3, backoff=0.01, longest_wait=1.0)
ANSWER = Answer("a", "How do I reset my password?", "Open the settings and choose to reset it.")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


Opened = Callable[..., tuple[Rail, Contract]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def give(contract: Contract | None = None, care: Care = QUICK, **settings: Any) -> tuple[Rail, Contract]:
            spoken = stack.enter_context(speaking(contract or Contract()))
            asked = RailSettings(base_url=spoken.url, **{"per_minute": 60_000.0, **settings})
            return Rail(asked, tmp_path / "cache", care), spoken

        yield give


def opinions(rail: Rail, *answers: Answer) -> list[dict]:
    return OPINIONS.frame(rail.opinions(answers or [ANSWER])).to_dicts()


def reasons(rows: list[dict]) -> set[str]:
    assert all((row["value"] is None) == bool(row["unscored_reason"]) for row in rows)
    return {row["unscored_reason"] for row in rows}


@pytest.mark.parametrize("mode", ["basic", "deep"])
def test_an_answer_is_scored_in_all_eight_dimensions(opened: Opened, mode: str) -> None:
    rail, contract = opened(mode=mode)
    rows = opinions(rail)
    assert [row["dimension"] for row in rows] == list(DIMENSIONS)
    assert {(row["value"], row["confidence"], row["explanation"]) for row in rows} == {(0.8, 0.5, "Clear.")}
    assert reasons(rows) == {None}
    assert {row["judge"] for row in rows} == {f"rail-score-sdk 2.6.1 {mode}"}
    [sent] = contract.seen
    assert (sent["path"], sent["key"], sent["mode"]) == ("/railscore/v1/eval", f"Bearer {KEY}", mode)
    assert (sent["content"], sent["context"]) == (ANSWER.text, ANSWER.prompt)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 410, 422, 429, 500, 501, 503])
def test_a_refusal_is_unscored_with_its_reason(opened: Opened, status: int) -> None:
    rail, _ = opened(Contract(always=(status, {"error": f"no, {KEY}", "balance": 0, "required": 1}, {})))
    rows = opinions(rail)
    assert {row["value"] for row in rows} == {None}
    [reason] = reasons(rows)
    assert f"RAIL refused with status {status}: no, [key]" in reason


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"null", b'"x"', b"{}", b'{"result": null}', b'{"result": {}}', b'{"result": []}',
        b'{"result": {"rail_score": {"score": 1}, "dimension_scores": {}}}', b"[" * 100_000,
        json.dumps({"result": {"rail_score": well([])["result"]["rail_score"], "dimension_scores": ["x"]}}).encode(),
        json.dumps({"result": {"rail_score": well([])["result"]["rail_score"], "dimension_scores": {}}}).encode(),
        b"\xff\xfe\x00",
    ],
)  # fmt: skip
def test_a_malformed_body_is_unscored_with_its_reason(opened: Opened, body: bytes) -> None:
    rail, _ = opened(Contract(always=(200, body, {})))
    rows = opinions(rail)
    assert {row["value"] for row in rows} == {None}
    assert all(reasons(rows))


@pytest.mark.parametrize("score", [-0.1, 10.1, None, "9", True, [9], 1e400])
def test_a_score_out_of_its_scale_is_none(opened: Opened, score: Any) -> None:
    rail, _ = opened(Contract(always=(200, well(list(DIMENSIONS), score=score), {})))
    assert {row["value"] for row in opinions(rail)} == {None}


@pytest.mark.parametrize("confidence", [None, 1.5, "high"])
def test_a_score_without_a_confidence_is_none(opened: Opened, confidence: Any) -> None:
    rail, _ = opened(Contract(always=(200, well(list(DIMENSIONS), confidence=confidence), {})))
    assert {row["value"] for row in opinions(rail)} == {None}


def test_a_dimension_that_is_left_out_is_unscored_and_the_others_are_scored(opened: Opened) -> None:
    rail, _ = opened(Contract(always=(200, well(["safety"]), {})))
    rows = {row["dimension"]: row for row in opinions(rail)}
    assert rows["safety"]["value"] == 0.8
    assert {row["value"] for name, row in rows.items() if name != "safety"} == {None}
    assert "holds no privacy" in rows["privacy"]["unscored_reason"]


@pytest.mark.parametrize("fault", [(429, {"error": "slow down"}, {}), (500, {}, {}), (503, {}, {}), "drop", 1.5])
def test_what_another_try_mends_is_tried_again(opened: Opened, fault: Any) -> None:
    rail, contract = opened(Contract(replies=[fault]))
    assert reasons(opinions(rail)) == {None}
    assert len(contract.seen) == 2


def test_the_server_says_how_long_to_wait(opened: Opened) -> None:
    rail, _ = opened(Contract(replies=[(429, {"error": "slow down"}, {"Retry-After": "1"})]))
    began = time.monotonic()
    assert reasons(opinions(rail)) == {None}
    assert time.monotonic() - began >= 1.0


def test_a_server_that_keeps_silent_is_unscored(opened: Opened) -> None:
    rail, contract = opened(Contract(always=0.6), care=QUICK.model_copy(update={"timeout": 0.2, "tries": 2}))
    [reason] = reasons(opinions(rail))
    assert "could not be asked" in reason
    assert len(contract.seen) == 2


@pytest.mark.parametrize("status", [401, 402, 403])
def test_what_nothing_mends_ends_it(opened: Opened, status: int) -> None:
    rail, contract = opened(
        Contract(always=(status, {"error": "no"}, {})), care=QUICK.model_copy(update={"concurrency": 1})
    )
    rows = opinions(rail, *(Answer(str(n), "", f"A long enough answer {n}.") for n in range(9)))
    assert {row["value"] for row in rows} == {None}
    assert "not asked: RAIL refused with status" in rows[-1]["unscored_reason"]
    assert len(contract.seen) == 1


def test_harmful_answers_in_a_row_do_not_end_it(opened: Opened) -> None:
    """422 is about one answer."""
    care = QUICK.model_copy(update={"concurrency": 1, "give_up_after": 2})
    rail, contract = opened(Contract(replies=[(422, {"error": "harmful"}, {})] * 5), care=care)
    rows = opinions(rail, *(Answer(str(n), "", f"A long enough answer {n}.") for n in range(6)))
    assert {row["value"] for row in rows if row["id"] == "5"} == {0.8}
    assert len(contract.seen) == 6


@pytest.mark.parametrize("text", ["", "No.", "   short  ", "x" * 10_001])
def test_answers_that_rail_does_not_take_are_unscored_and_not_sent(opened: Opened, text: str) -> None:
    rail, contract = opened()
    assert rail.cost([Answer("a", "", text)]).requests == 0
    [reason] = reasons(opinions(rail, Answer("a", "", text)))
    assert "RAIL scores 10 to 10000" in reason
    assert contract.seen == []


def test_what_was_scored_costs_nothing_again(opened: Opened) -> None:
    rail, contract = opened()
    assert rail.cost([ANSWER]).requests == 1
    first = opinions(rail)
    assert rail.cost([ANSWER]).requests == 0
    assert opinions(rail) == first
    assert len(contract.seen) == 1
    assert opinions(rail, Answer("a", "Another prompt?", ANSWER.text))
    assert len(contract.seen) == 2


def test_what_was_not_scored_is_asked_again(opened: Opened, tmp_path: Path) -> None:
    rail, _ = opened(Contract(replies=[(400, {"error": "no"}, {})]))
    assert reasons(opinions(rail)) != {None}
    assert reasons(opinions(rail)) == {None}


def test_a_spoilt_cache_is_asked_again(opened: Opened, tmp_path: Path) -> None:
    rail, contract = opened()
    opinions(rail)
    [kept] = (tmp_path / "cache").rglob("*.json")
    assert KEY not in kept.read_text()
    kept.write_text("{")
    assert reasons(opinions(rail)) == {None}
    assert len(contract.seen) == 2


def test_what_the_organisation_set_is_recorded_and_binds_the_cache(opened: Opened) -> None:
    rail, _ = opened()
    assert rail.config == CONFIG
    opinions(rail)
    other, _ = opened(Contract(config=(200, {"policy": {"locked": False}}, {})))
    assert other.cost([ANSWER]).requests == 1


@pytest.mark.parametrize("config", [(401, {"error": f"{KEY} is wrong"}, {}), (500, {}, {}), (200, b"[]", {}), "drop"])
def test_a_configuration_that_cannot_be_read_is_said_to_be_absent(opened: Opened, config: Any) -> None:
    rail, _ = opened(Contract(config=config))
    assert "absent" in rail.config
    assert KEY not in json.dumps(rail.config)


def test_requests_keep_the_plans_pace(opened: Opened) -> None:
    rail, _ = opened(per_minute=600.0)
    began = time.monotonic()
    opinions(rail, *(Answer(str(n), "", f"A long enough answer {n}.") for n in range(5)))
    assert time.monotonic() - began >= 0.4


def test_prompts_follow_no_redirect(opened: Opened) -> None:
    _elsewhere, other = opened()
    rail, _ = opened(Contract(always=(307, {}, {"Location": f"{other.url}/railscore/v1/eval"})))
    assert all(reasons(opinions(rail)))
    assert other.seen == []


@pytest.mark.parametrize(
    ("settings", "credits"),
    [({}, 100.0), ({"mode": "deep"}, 300.0), ({"dimensions": ("safety", "privacy")}, 40.0)],
)
def test_the_cost_is_known_before(settings: dict, credits: float) -> None:
    cost = RailSettings(**settings).cost(100)
    assert (cost.requests, cost.credits, cost.minutes) == (100, credits, 10)


@pytest.mark.parametrize("names", [("safety", "safety"), ("legal_compliance",), ()])
def test_dimensions_must_be_of_the_eight(names: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        RailSettings(dimensions=names)


def test_without_a_key_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(ProjectError, match=KEY_VARIABLE):
        Rail(RailSettings(), tmp_path, QUICK)
