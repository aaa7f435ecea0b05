"""What an endpoint said: finished when some of it was lost, else asked anew; and never mixed with other weights."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import model_server
import polars as pl
import pytest
import small_checkpoints
from model_server import ModelServer, Plan, serving

from safety_assets.errors import ModelError
from safety_assets.evals.probes import read_probes
from safety_assets.evals.suite import judge
from safety_assets.flows import answers
from safety_assets.flows.answers import Respondent
from safety_assets.flows.asking import target
from safety_assets.flows.scoring import score_model
from safety_assets.flows.targets import Served, open_target, where
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Acceptance
from safety_assets.release.external import weights_unread
from safety_assets.served.care import Care
from safety_assets.served.endpoint import FINGERPRINT

NUMBER = 30
Serve = Callable[..., ModelServer]


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda answer=model_server.echo, **plan: stack.enter_context(serving(answer, Plan(**plan)))


@pytest.fixture
def probes(fresh: Workspace) -> pl.DataFrame:
    every = read_probes(fresh.project.probes)
    return every.filter(pl.col("choices").list.len() == 0, pl.col("pair").is_null()).head(NUMBER)


def quick(ws: Workspace) -> Workspace:
    """Asks one after the other and once each."""
    settings = ws.project.settings.model_copy(update={"endpoints": Care(tries=1, concurrency=1)})
    return replace(ws, project=replace(ws.project, settings=settings))


def asked(server: ModelServer) -> list[str]:
    said = [s["messages"][-1]["content"] for s in server.plan.seen]
    return [text for text in said if text not in FINGERPRINT]


def lost_after(number: int) -> list[model_server.Fault | None]:
    return [None] * (len(FINGERPRINT) + number)


def test_lost_answers_are_unscored_with_the_reason_and_asked_for_again(
    fresh: Workspace, probes: pl.DataFrame, serve: Serve
) -> None:
    server, ws = serve(faults=[*lost_after(20), *[model_server.status(500)] * 10]), quick(fresh)
    said = Respondent(ws, Served(ws, server.address)).probes(probes)
    assert said["completion"].null_count() == 10
    scores = judge(probes, said)
    assert scores.filter(pl.col("value").is_null())["unscored_reason"].str.contains("status 500").all()
    again = Respondent(ws, Served(ws, server.address)).probes(probes)
    assert again["probe_id"].to_list() == probes["probe_id"].to_list()
    assert again["completion"].null_count() == 0
    assert len(asked(server)) == NUMBER + 10


def test_what_was_begun_long_ago_is_begun_anew(
    fresh: Workspace, probes: pl.DataFrame, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "FRESH", answers.FRESH * -1)
    server, ws = serve(faults=[*lost_after(20), model_server.status(500)]), quick(fresh)
    for _ in range(2):
        Respondent(ws, Served(ws, server.address)).probes(probes)
    assert len(asked(server)) == 2 * NUMBER


def test_what_an_endpoint_said_is_asked_anew_the_next_time(
    fresh: Workspace, probes: pl.DataFrame, serve: Serve
) -> None:
    """The same identity does not bind the same weights."""
    server, ws = serve(), quick(fresh)
    for _ in range(2):
        Respondent(ws, Served(ws, server.address)).probes(probes)
    assert len(asked(server)) == 2 * NUMBER


def test_a_folder_is_asked_once(fresh: Workspace, probes: pl.DataFrame, tiny_model: Path) -> None:
    told: list[object] = []
    ws = replace(fresh, report=told.append)
    first = Respondent(ws, open_target(ws, tiny_model)).probes(probes)
    number = len(told)
    assert Respondent(ws, open_target(ws, tiny_model)).probes(probes).equals(first)
    assert number == len(told) > 0


def test_a_model_that_changes_while_it_is_asked_is_refused(
    fresh: Workspace, probes: pl.DataFrame, serve: Serve
) -> None:
    server, ws = serve(), quick(fresh)
    respondent = Respondent(ws, Served(ws, server.address))
    server.answer = lambda body, logprobs: model_server.completion("Something else.")
    with pytest.raises(ModelError, match="changed while it was asked"):
        respondent.probes(probes)


def test_an_endpoint_is_scored_and_asked_again_only_for_what_was_lost(
    fresh: Workspace, probes: pl.DataFrame, serve: Serve
) -> None:
    server, ws = serve(faults=[*lost_after(20), *[model_server.status(500)] * 10]), quick(fresh)
    first = score_model(ws, target(ws, str(server.address)), probes, "few")
    assert first.responses["completion"].null_count() == 10
    lost = first.scores.filter(pl.col("value").is_null())
    assert lost.height == 10
    assert lost["unscored_reason"].str.contains("status 500").all()
    again = score_model(ws, target(ws, str(server.address)), probes, "few")
    assert again.responses["completion"].null_count() == 0
    assert (again.asked, again.remembered, len(asked(server))) == (10, NUMBER - 10, NUMBER + 10)


def test_an_adapter_needs_the_folder_of_its_base(fresh: Workspace, tiny_model: Path, tmp_path: Path) -> None:
    adapter = small_checkpoints.adapter(tiny_model, tmp_path / "adapter")
    with pytest.raises(ModelError, match="is an adapter, and its base is behind"):
        open_target(fresh, adapter, where("http://127.0.0.1:9/v1"))


def test_unread_weights_pass_only_while_a_person_accepts_it() -> None:
    accepted = Acceptance(who="Ada", why="a test", until=date(2030, 1, 1))
    assert weights_unread("x", accepted, date(2030, 1, 1)).passed
    assert "Ada accepts that until 2030-01-01" in weights_unread("x", accepted, date(2029, 1, 1)).reasons[0]
    for nobody, today in ((None, date(2029, 1, 1)), (accepted, date(2030, 1, 2))):
        assert weights_unread("x", nobody, today).status == "not_certified"
