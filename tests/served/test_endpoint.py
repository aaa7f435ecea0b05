"""A served model as an answerer: what it says, what gets lost, and that nothing else is lost with it."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import model_server as small
import pytest
from model_server import ModelServer, Plan, serving

from safety_assets.errors import EvaluationError, ModelError, SafetyAssetsError
from safety_assets.served.address import Address, is_url, read_address
from safety_assets.served.care import Care
from safety_assets.served.endpoint import FINGERPRINT, Endpoint
from safety_assets.served.likelihoods import mean_logprob
from safety_assets.served.said import Said, said_in

Serve = Callable[..., ModelServer]
QUICK = Care(concurrency=4, timeout=2.0, tries=4, backoff=0.01, longest_wait=1.0)


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda answer=small.echo, **plan: stack.enter_context(serving(answer, Plan(**plan)))


def chats(number: int) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"Question {n}?"}] for n in range(number)]


def texts(said: list[Said | SafetyAssetsError]) -> list[str | None]:
    return [one.text if isinstance(one, Said) else None for one in said]


def test_answers_come_in_order_and_are_asked_for_greedily(serve: Serve) -> None:
    server = serve()
    said = Endpoint(server.address, QUICK).generate(chats(20), 7)
    assert texts(said) == [f"You said: Question {n}?" for n in range(20)]
    assert {(s["temperature"], s["max_tokens"], s["model"]) for s in server.plan.seen} == {(0, 7, "small")}
    assert {s["path"] for s in server.plan.seen} == {"/v1/chat/completions"}


MENDED = [small.status(429), small.status(500), small.status(503), small.dropped, small.cut]


@pytest.mark.parametrize("fault", MENDED, ids=["429", "500", "503", "dropped", "cut"])
def test_what_another_try_mends_is_tried_again(serve: Serve, fault: small.Fault) -> None:
    server = serve(faults=[fault, fault])
    assert texts(Endpoint(server.address, QUICK).generate(chats(1), 5)) == ["You said: Question 0?"]
    assert len(server.plan.seen) == 3


def test_a_slow_answer_is_asked_for_again(serve: Serve) -> None:
    server = serve(faults=[small.slow(1.0)])
    care = QUICK.model_copy(update={"timeout": 0.2})
    assert texts(Endpoint(server.address, care).generate(chats(1), 5)) == ["You said: Question 0?"]
    assert len(server.plan.seen) == 2


def test_the_server_says_how_long_to_wait(serve: Serve) -> None:
    server = serve(faults=[small.status(429, Retry_After="1")])
    began = time.monotonic()
    assert texts(Endpoint(server.address, QUICK).generate(chats(1), 5)) == ["You said: Question 0?"]
    assert time.monotonic() - began >= 1.0


def test_a_server_that_asks_for_an_hour_does_not_get_it(serve: Serve) -> None:
    server = serve(faults=[small.status(429, Retry_After="3600")])
    began = time.monotonic()
    assert texts(Endpoint(server.address, QUICK).generate(chats(1), 5)) == ["You said: Question 0?"]
    assert time.monotonic() - began < 30


LOST = [
    (small.status(429), "status 429"), (small.status(500), "status 500"), (small.status(400), "status 400"),
    (small.status(404), "status 404"), (small.dropped, "gave no answer in 4 tries"), (small.garbled, "no JSON object"),
    (small.cut, "gave no answer in 4 tries"), (small.status(302, Location="http://127.0.0.1:1/"), "status 302"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "words"), LOST, ids=[w for _, w in LOST])
def test_a_lost_answer_says_why_and_loses_no_other(serve: Serve, fault: small.Fault, words: str) -> None:
    server = serve()
    endpoint = Endpoint(server.address, QUICK.model_copy(update={"concurrency": 1}))

    def on_question_1(handler: small.Handler) -> bool:
        return server.plan.seen[-1]["messages"][0]["content"] == "Question 1?" and fault(handler)

    server.plan.always = on_question_1
    said = endpoint.generate(chats(3), 5)
    assert texts(said) == ["You said: Question 0?", None, "You said: Question 2?"]
    assert words in str(said[1])


def test_a_server_that_is_gone_is_not_asked_on(serve: Serve) -> None:
    server = serve()
    endpoint = Endpoint(server.address, QUICK.model_copy(update={"give_up_after": 5, "concurrency": 1}))
    server.plan.always = small.status(500)
    said = endpoint.generate(chats(40), 5)
    assert texts(said) == [None] * 40
    assert "not asked: 5 requests before were lost in a row" in str(said[-1])
    assert len(server.plan.seen) == 5 * QUICK.tries


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "holds no answer"), ({"choices": []}, "holds no answer"), ({"choices": ["x"]}, "holds no answer"),
        ({"choices": [{"message": None}]}, "holds no answer"),
        (small.completion(None, "content_filter"), "filter took"),
        (small.completion("x", "tool_calls"), "no plain answer"), (small.completion(["x"]), "no plain answer"),
    ],
)  # fmt: skip
def test_a_reply_without_an_answer_is_none(body: dict, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        said_in(body)


def test_a_models_own_refusal_is_its_answer() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    assert said_in({"choices": [{"message": message, "finish_reason": "stop"}]}).text == "I cannot help with that."


def test_the_weights_say_over_http_what_they_say_here(serve: Serve, tiny_model: Path) -> None:
    from safety_assets.models.generate import Generator
    from safety_assets.models.load import load_model

    asked, choices = chats(6), [["Yes, it is.", "No.", "It is 12."]] * 6
    local = Generator(load_model(tiny_model, device="cpu", threads=1))
    endpoint = Endpoint(serve(small.weights(tiny_model)).address, QUICK)
    here, there = local.generate(asked, 6), endpoint.generate(asked, 6)
    assert [(a.text, a.num_tokens, a.finish) for a in here] == [(b.text, b.num_tokens, b.finish) for b in there]
    for a, b in zip(local.choice_logprobs(asked, choices), endpoint.choice_logprobs(asked, choices), strict=True):
        assert b == pytest.approx(a, abs=1e-4)


def test_choices_that_cannot_be_compared_are_said_to_be_and_not_asked_one_by_one(serve: Serve) -> None:
    server = serve(logprobs=False)
    said = Endpoint(server.address, QUICK).choice_logprobs(chats(30), [["a", "b"]] * 30)
    assert len(said) == 30
    assert all("does not tell the log-probabilities" in str(one) for one in said)
    assert len(server.plan.seen) <= 3


def entries(*tokens: tuple[str, float, str]) -> list:
    return [None, *({i: {"logprob": p, "decoded_token": t}} for i, p, t in tokens)]


def test_the_answers_own_tokens_are_counted_and_the_space_behind_them_is_not() -> None:
    before = entries(("7", -9.0, "user"), ("8", -9.0, ":"))
    whole = [*before, *entries(("1", -1.0, "Yes"), ("2", -3.0, "</s>"), ("3", -50.0, "\n"))[1:]]
    assert mean_logprob(before, whole) == -2.0


@pytest.mark.parametrize(
    "whole",
    [
        [], [None], entries(("7", -1.0, "user")), entries(("9", -1.0, "x"), ("1", -1.0, "Yes")),
        [*entries(("7", -1.0, "user")), {"1": {"logprob": float("-inf"), "decoded_token": "x"}}],
        [*entries(("7", -1.0, "user")), {"1": {"logprob": -1.0}, "2": {"logprob": -2.0}}],
        [*entries(("7", -1.0, "user")), "x"], [*entries(("7", -1.0, "user")), {"1": {}}],
    ],
)  # fmt: skip
def test_entries_that_do_not_fit_are_no_likelihood(whole: list) -> None:
    with pytest.raises(EvaluationError):
        mean_logprob(entries(("7", -1.0, "user")), whole)


def test_the_same_server_is_the_same_model_and_other_weights_are_another(serve: Serve) -> None:
    server = serve()
    first, again = Endpoint(server.address, QUICK).model, Endpoint(server.address, QUICK).model
    assert first == again
    server.answer = lambda body, logprobs: small.completion("Something else.")
    assert Endpoint(server.address, QUICK).model != first
    assert {s["messages"][0]["content"] for s in server.plan.seen} == set(FINGERPRINT)


def test_a_model_that_does_not_answer_has_no_identity(serve: Serve) -> None:
    endpoint = Endpoint(serve(always=small.status(400)).address, QUICK)
    with pytest.raises(ModelError, match="does not answer"):
        _ = endpoint.model


def test_one_of_several_models_must_be_named(serve: Serve) -> None:
    server = serve(names=("base", "tuned"))
    with pytest.raises(ModelError, match="serves base, tuned"):
        Endpoint(server.address, QUICK)
    with pytest.raises(ModelError, match="serves base, tuned"):
        Endpoint(Address(server.address.url, "other"), QUICK)
    assert Endpoint(Address(server.address.url, "tuned"), QUICK).name == "tuned"


def test_nobody_at_home_is_said(serve: Serve) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ModelError, match="Connection refused"):
            Endpoint(Address(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"), QUICK)


def test_a_key_goes_to_its_host_and_into_no_error(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(key="right")
    variable = server.address.key_variable
    monkeypatch.setenv(variable, "wrong-secret")
    server.plan.key = "wrong-secret-not"  # the server quotes what it wants, which begins with the key that was sent
    with pytest.raises(ModelError) as caught:
        _ = Endpoint(server.address, QUICK).model
    assert "wrong-secret" not in str(caught.value)
    assert "[key]" in str(caught.value)
    assert variable in str(caught.value)
    other = serve()
    _ = Endpoint(other.address, QUICK).model
    assert {s["key"] for s in other.plan.seen} == {""}


@pytest.mark.parametrize(
    ("given", "url", "model"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1", None),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1", None),
        ("https://a.example/v1/chat/completions", "https://a.example/v1", None),
        ("https://a.example/openai/v1#org/name:tuned", "https://a.example/openai/v1", "org/name:tuned"),
    ],
)
def test_an_address_is_a_url_and_a_name(given: str, url: str, model: str | None) -> None:
    assert is_url(given)
    assert read_address(given) == Address(url, model)


@pytest.mark.parametrize("given", ["ftp://a/v1", "http://", "http://a:b@c/v1", "http://c/v1?key=x", "http://a:port/v1"])
def test_a_url_with_a_secret_or_without_a_host_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_address(given)
    assert "a:b" not in str(caught.value)
    assert "key=x" not in str(caught.value)
