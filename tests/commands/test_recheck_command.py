"""`recheck`: the released weights behind an endpoint, other weights, and a server that is not well."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import model_server
import pytest
import small_checkpoints
import small_project
import yaml
from model_server import ModelServer, Plan, serving
from typer.testing import CliRunner
from urllib3 import Retry

from safety_assets.cli import app
from safety_assets.flows.fingerprints import PROMPTS
from safety_assets.flows.recheck import judged, limited, rechecks
from safety_assets.flows.release import released_folder
from safety_assets.flows.workspace import Workspace
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE, open_project
from safety_assets.served.endpoint import FINGERPRINT
from safety_assets.store import Store

pytestmark = pytest.mark.long
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


def test_log_probabilities_decide_where_the_policy_limits_them(
    released_project: Path, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights whose greedy answers are all the same, and whose log-probabilities are not."""
    copy = shutil.copytree(released_project, tmp_path / "project")
    monkeypatch.setenv(PROJECT_VARIABLE, str(copy))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    project = open_project(copy)
    own = released_folder(Workspace(project=project, store=Store(project.storage), launch=lambda order: {}))
    assert own is not None
    sharper = small_checkpoints.sharper(own, tmp_path / "sharper")
    server, silent = serve(model_server.weights(sharper)), serve(model_server.weights(sharper), logprobs=False)
    code, said = rechecked(server)
    assert (code, said["outcome"]) == (SAME, "same")
    gap = said["nats_apart"]
    law = yaml.safe_load((copy / "policy.yaml").read_text())
    expected = {2 * gap: (SAME, "same"), gap / 2: (DIFFERENT, "different")}
    for most, outcome in expected.items():
        small_project.write_yaml(copy / "policy.yaml", law | {"max_nats_apart": most})
        code, said = rechecked(server)
        assert (code, said["outcome"]) == outcome
    assert f"the policy allows {gap / 2:g}" in said["why"]
    code, said = rechecked(silent)
    assert (code, said["outcome"], said["nats_apart"]) == (CANNOT_SAY, "cannot_say", None)
    assert "it told them of 0 of" in said["why"]


@pytest.mark.parametrize(
    ("outcome", "gap", "of", "most", "becomes"),
    [
        ("same", 0.5, 96, None, "same"), ("same", 0.5, 96, 0.4, "different"), ("same", 0.4, 96, 0.4, "same"),
        ("same", None, 0, 0.4, "cannot_say"), ("same", float("nan"), 96, 0.4, "cannot_say"),
        ("same", 0.1, 80, 0.4, "cannot_say"), ("cannot_say", 0.1, 96, 0.4, "cannot_say"),
        ("cannot_say", 0.5, 96, 0.4, "different"), ("different", None, 0, 0.4, "different"),
    ],
)  # fmt: skip
def test_a_limit_makes_no_outcome_better(
    outcome: str, gap: float | None, of: int, most: float | None, becomes: str
) -> None:
    said = {"outcome": outcome, "why": "w", "nats_apart": gap, "compared_nats": of}
    assert {**said, **limited(said, 96, most)}["outcome"] == becomes


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
