"""`recheck`: the released weights behind an endpoint, other weights, and a server that is not well."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import model_server
import pytest
import small_checkpoints
from model_server import ModelServer, Plan, serving
from typer.testing import CliRunner
from urllib3 import Retry

from safety_assets.cli import app
from safety_assets.flows.fingerprints import PROMPTS
from safety_assets.flows.recheck import judged, rechecks
from safety_assets.flows.release import released_folder
from safety_assets.flows.workspace import Workspace
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE, open_project
from safety_assets.served.endpoint import FINGERPRINT
from safety_assets.store import Store

SAME, DIFFERENT, CANNOT_SAY = 0, 1, 3
Serve = Callable[..., ModelServer]


@pytest.fixture
def released(released_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the weights that the open project released."""
    monkeypatch.setenv(PROJECT_VARIABLE, str(released_project))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    project = open_project(released_project)
    folder = released_folder(Workspace(project=project, store=Store(project.storage), launch=lambda order: {}))
    assert folder is not None
    return folder


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda answer, **plan: stack.enter_context(serving(answer, Plan(**plan)))


def rechecked(server: ModelServer) -> tuple[int, dict]:
    result = CliRunner().invoke(app, ["recheck", "--endpoint", str(server.address), "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def test_the_released_weights_are_the_same_and_others_are_not(released: Path, serve: Serve, tmp_path: Path) -> None:
    code, said = rechecked(serve(model_server.weights(released)))
    assert (code, said["outcome"], said["equal"]) == (SAME, "same", said["asked"])
    assert said["asked"] == PROMPTS
    assert said["compared_nats"] > 0
    assert said["nats_apart"] < 1e-4
    other = small_checkpoints.with_other_weights(released, tmp_path / "other")
    code, said = rechecked(serve(model_server.weights(other)))
    assert (code, said["outcome"]) == (DIFFERENT, "different")
    assert said["examples"]
    assert said["nats_apart"] > 0.01
    project = open_project()
    kept = rechecks(Workspace(project=project, store=Store(project.storage), launch=lambda order: {}))
    assert [(one["outcome"], one["fingerprint"]) for one in kept] == [
        ("same", said["fingerprint"]), ("different", said["fingerprint"]),
    ]  # fmt: skip


def test_a_server_that_loses_answers_says_nothing(released: Path, serve: Serve) -> None:
    server = serve(model_server.echo, faults=[None] * len(FINGERPRINT), always=model_server.status(400))
    code, said = rechecked(server)
    assert (code, said["outcome"], said["answered"]) == (CANNOT_SAY, "cannot_say", 0)
    assert "First reason" in said["why"]
    assert "status 400" in said["why"]


@pytest.mark.parametrize("fault", [model_server.status(500), model_server.dropped, model_server.garbled])
def test_a_server_that_is_not_well_says_nothing(
    released: Path, serve: Serve, fault: model_server.Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safety_assets.served.wire.again", lambda care: Retry(total=0, raise_on_status=False))
    code, said = rechecked(serve(model_server.echo, always=fault))
    assert (code, said["outcome"], said["answered"], said["served"]) == (CANNOT_SAY, "cannot_say", 0, None)
    assert "does not answer" in said["why"]


@pytest.mark.parametrize(
    ("asked", "answered", "other", "outcome"),
    [
        (96, 96, 0, "same"), (96, 87, 0, "same"), (96, 86, 0, "cannot_say"), (0, 0, 0, "cannot_say"),
        (96, 96, 1, "cannot_say"), (96, 96, 13, "cannot_say"), (96, 96, 74, "different"), (96, 80, 80, "cannot_say"),
    ],
)  # fmt: skip
def test_how_many_other_answers_mean_what(asked: int, answered: int, other: int, outcome: str) -> None:
    assert judged(asked, answered, other)[0] == outcome
