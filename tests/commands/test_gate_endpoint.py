"""`gate` on models behind endpoints: the verdict of the weights themselves, or not certified; never a better one."""

import json
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

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
APPROVED, REJECTED, NOT_CERTIFIED = 0, 1, 3
ACCEPTED = {"who": "Ada", "why": "a test", "until": "2999-01-01"}
QUICK = {"concurrency": 4, "timeout": 5.0, "tries": 4, "backoff": 0.01, "longest_wait": 1.0}
Answer = Callable[[dict, bool], dict]
Serve = Callable[..., ModelServer]


@pytest.fixture(scope="session")
def other(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_checkpoints.with_other_weights(tiny_model, tmp_path_factory.mktemp("elsewhere") / "other")


@pytest.fixture(scope="session")
def base_says(tiny_model: Path) -> Answer:
    return model_server.weights(tiny_model)


@pytest.fixture(scope="session")
def other_says(other: Path) -> Answer:
    return model_server.weights(other)


@pytest.fixture(scope="session")
def small(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose store keeps what folders said; what endpoints said is asked anew."""
    folder = small_project.write_project(tmp_path_factory.mktemp("endpoint") / "project", tiny_model)
    settings = yaml.safe_load((folder / "project.yaml").read_text())
    small_project.write_yaml(folder / "project.yaml", {**settings, "endpoints": QUICK})
    return folder


@pytest.fixture(autouse=True)
def project(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(PROJECT_VARIABLE, str(small))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return small


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda answer, **plan: stack.enter_context(serving(answer, Plan(**plan)))


def judged(base: object, tuned: object, *words: object) -> tuple[int, dict]:
    result = CliRunner().invoke(app, ["gate", "--base", str(base), "--tuned", str(tuned), "--json", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def law(folder: Path, *, accepted: bool, **rule: object) -> Path:
    path = small_checkpoints.policy_file(folder / "law.yaml", **rule)
    settings = json.loads(path.read_text())
    path.write_text(json.dumps({**settings, **({"unread_weights": ACCEPTED} if accepted else {})}))
    return path


def same_numbers(here: dict, there: dict) -> None:
    for name, row in here["dimensions"].items():
        for key in ("base", "tuned", "drop", "low", "high"):
            assert there["dimensions"][name][key] == pytest.approx(row[key], abs=1e-3), (name, key)
        assert there["dimensions"][name]["verdict"] == row["verdict"]


@pytest.mark.long
def test_through_faults_the_verdict_is_that_of_the_weights(
    tiny_model: Path, other: Path, other_says: Answer, serve: Serve, tmp_path: Path
) -> None:
    policy = law(tmp_path, accepted=True, max_drop=0.0)
    faults = [
        model_server.status(429, Retry_After="0"), model_server.status(500), model_server.dropped,
        model_server.slow(0.05), model_server.cut, model_server.status(503), model_server.garbled_status,
    ]  # fmt: skip
    server = serve(other_says, always=model_server.bad_day(faults))
    here = judged(tiny_model, other, "--policy", policy)
    there = judged(tiny_model, server.address, "--policy", policy)
    assert (there[0], there[1]["decision"]) == (here[0], here[1]["decision"]) == (REJECTED, "rejected")
    same_numbers(here[1], there[1])
    assert any("cannot be read. Ada accepts that" in note for note in there[1]["notes"])


@pytest.mark.long
def test_both_may_stand_behind_one_server(
    tiny_model: Path, other: Path, base_says: Answer, other_says: Answer, serve: Serve, tmp_path: Path
) -> None:
    def both(body: dict, logprobs: bool) -> dict:
        return {"base": base_says, "tuned": other_says}[body["model"]](body, logprobs)

    policy = law(tmp_path, accepted=True)
    steady = {"per_dimension": 8, "seeds": [0, 1], "temperatures": [1.0], "min_agreement": 0.3}
    policy.write_text(json.dumps(json.loads(policy.read_text()) | {"consistency": steady}))
    url = serve(both, names=("base", "tuned")).address.url
    here = judged(tiny_model, other, "--policy", policy)
    there = judged(f"{url}#base", f"{url}#tuned", "--policy", policy)
    assert (there[0], there[1]["checkpoint"]) == (here[0], "tuned") == (APPROVED, "tuned")
    same_numbers(here[1], there[1])
    assert there[1]["base"] != there[1]["tuned"]
    assert there[1]["checks"]["consistency_budget"] == "pass"
    (whole, *_) = there[1]["consistency"]
    assert (whole["agreement"], whole["num_draws"]) == (1.0, 3)  # this server hears no temperature
    assert there[1]["null"]["rate"] == 0


def test_unless_a_person_accepts_it_an_endpoint_is_measured_and_not_certified(
    tiny_model: Path, base_says: Answer, serve: Serve, tmp_path: Path
) -> None:
    """Nor is a dimension whose choices the server cannot compare."""
    here = judged(tiny_model, tiny_model)
    code, there = judged(tiny_model, serve(base_says, logprobs=False).address)
    assert here[0] == APPROVED
    assert (code, there["decision"]) == (NOT_CERTIFIED, "not_certified")
    assert any("weights behind" in r and "cannot be read" in r for r in there["reasons"])
    assert any("does not tell the log-probabilities of given answers" in r for r in there["reasons"])
    open_ones = {name for name, row in there["dimensions"].items() if row["verdict"] == "not_certified"}
    assert open_ones == {"reliability"}
    assert {row["drop"] for name, row in there["dimensions"].items() if name not in open_ones} == {0.0}
    assert len(there["not_checked"]) == len(here[1]["not_checked"]) + 2


def test_a_server_that_dies_is_not_certified_and_its_key_is_written_nowhere(
    tiny_model: Path, small: Path, base_says: Answer, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, report = "sk-a-secret-that-nobody-may-see", tmp_path / "page.md"
    server = serve(base_says, key=secret, faults=[None] * 60, always=model_server.quotes_the_key)
    monkeypatch.setenv(server.address.key_variable, secret)
    words = ["--policy", str(law(tmp_path, accepted=True)), "--report", str(report), "--json"]
    result = CliRunner().invoke(app, ["gate", "--base", str(tiny_model), "--tuned", str(server.address), *words])
    assert result.exit_code == NOT_CERTIFIED
    assert "[key]" in result.output
    assert secret not in result.output
    written = [p for folder in (tmp_path, small) for p in folder.rglob("*") if p.is_file()]
    assert report in written
    assert not [p for p in written if secret.encode() in p.read_bytes()]


def test_nobody_at_home_is_not_certified(tiny_model: Path) -> None:
    code, said = judged(tiny_model, "http://127.0.0.1:9/v1")
    assert code == NOT_CERTIFIED
    assert any("Connection refused" in reason for reason in said["reasons"])
