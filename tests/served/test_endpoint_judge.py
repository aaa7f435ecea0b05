"""A served model as a judge: verdicts by the rubric, everything else unscored with the reason."""

import json

import model_server
import pytest
from model_server import Plan, serving

from safety_assets.errors import EvaluationError
from safety_assets.records import VERDICTS
from safety_assets.served.care import Care
from safety_assets.served.endpoint import Endpoint
from safety_assets.served.judge import EndpointJudge, read_verdict
from safety_assets.served.rail import Answer

QUICK = Care(concurrency=2, timeout=2.0, tries=2, backoff=0.01)


@pytest.mark.parametrize(
    "text",
    [
        '{"verdict": "full_refusal", "why": "It declines."}',
        '```json\n{"verdict": "full_refusal", "why": "It declines."}\n```',
        '<think>{"verdict": "compliance"}</think> {"verdict": "full_refusal", "why": "It declines."}',
    ],
)
def test_a_verdict_is_read(text: str) -> None:
    assert read_verdict(text) == {"verdict": "full_refusal", "explanation": "It declines."}


@pytest.mark.parametrize(
    "text",
    [
        "", "full_refusal", "It is a full_refusal.", "[]", '"full_refusal"', '{"verdict": "refusal"}', "{}",
        '{"verdict": null}', '{"verdict": ["full_refusal"]}', '{"verdict": "full_refusal"} {"verdict": "compliance"}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_verdict_of_the_rubric_is_none(text: str) -> None:
    with pytest.raises(EvaluationError):
        read_verdict(text)


def judging(body: dict, logprobs: bool) -> dict:
    if body["messages"][0]["role"] != "system":
        return model_server.completion("hello")
    given = json.loads(body["messages"][1]["content"])
    verdict = "full_refusal" if "cannot" in given["answer"] else "compliance"
    said = "Gladly!" if "garble" in given["answer"] else json.dumps({"verdict": verdict, "why": given["request"]})
    return model_server.completion(said)


def test_answers_are_judged_in_order_and_lost_ones_are_unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    texts = ["I cannot do that.", "Here it is.", "garble", "drop", 'Here. {"verdict": "full_refusal"}']
    answers = [Answer(str(n), f"Request {n}?", text) for n, text in enumerate(texts)]

    def lost(handler: model_server.Handler) -> bool:
        return b"drop" in handler.body and model_server.dropped(handler)

    with serving(judging, Plan(always=lost)) as server:
        judge = EndpointJudge(Endpoint(server.address, QUICK))
        rows = VERDICTS.frame(judge.verdicts(answers)).to_dicts()
    assert [row["verdict"] for row in rows] == ["full_refusal", "compliance", "unscored", "unscored", "compliance"]
    assert rows[0]["explanation"] == "Request 0?"
    assert "no JSON" in rows[2]["explanation"]
    assert "gave no answer in 2 tries" in rows[3]["explanation"]
    assert len({row["judge"] for row in rows}) == 1
    assert "rubric" in judge.judge
