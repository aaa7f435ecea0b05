"""A project ready to be released, with a Dagster instance of its own, and the ways in which people launch things."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import small_project
from dagster._utils.error import SerializableErrorInfo
from signers import people

from safety_assets.flows.assets import materialize
from safety_assets.flows.standing import steps_to
from safety_assets.flows.workspace import Workspace
from safety_assets.project import PROJECT_VARIABLE, open_project
from safety_assets.release import promotion
from safety_assets.store import Store
from safety_assets.worker import launch_here

ROOT = Path(__file__).resolve().parents[2]
INSTANCE = """
telemetry: {enabled: false}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""
"""Without a queue no daemon is needed to start a run."""
CODE = ("-m", "safety_assets.definitions")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
AGAIN = """mutation($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
REPOSITORY = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"


@dataclass(frozen=True)
class Stage:
    """One project with everything made up to the card of `protected`, nothing of it released.

    Args:
        folder: the project.
        home: DAGSTER_HOME.
    """

    folder: Path
    home: Path

    def workspace(self) -> Workspace:
        """The project opened anew, as the next run opens it."""
        project = open_project(self.folder)
        return Workspace(
            project=project,
            store=Store(project.storage),
            launch=lambda order: launch_here(order, report=lambda message: None),
        )

    @property
    def environment(self) -> dict[str, str]:
        named = {PROJECT_VARIABLE: str(self.folder), "DAGSTER_HOME": str(self.home), "PYTHONWARNINGS": "ignore"}
        return {**os.environ, **named}

    def dagster(self, *words: str) -> tuple[int, str]:
        """Call `dagster` as a user does: exit code, and everything it said."""
        program = str(Path(sys.executable).with_name("dagster"))
        done = subprocess.run(
            [program, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def materialize(self, *assets: str, recipe: str | None = None) -> tuple[int, str]:
        """`dagster asset materialize` of some assets and nothing else."""
        partition = ("--partition", recipe) if recipe else ()
        return self.dagster("asset", "materialize", *CODE, "--select", ",".join(assets), *partition)

    def served(self) -> dict | None:
        """What the pointer says."""
        return promotion.released(self.folder / "store", "small")

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            yield instance


def prepare_home(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(INSTANCE)
    return folder


def law(folder: Path, **changes: object) -> None:
    """Write the policy of the stage, which names Ada as the model's owner."""
    own = {**small_project.policy_settings(), "people": people("Ada"), **changes}
    small_project.write_yaml(folder / "policy.yaml", own)


def run_here(
    instance: dg.DagsterInstance, *names: str, recipe: str | None = None, **tags: str
) -> dg.ExecuteInProcessResult:
    """Materialize some assets in one run of this process."""
    from safety_assets.definitions import defs

    job = dg.define_asset_job("chosen", selection=dg.AssetSelection.assets(*names))
    definitions = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
    return definitions.resolve_job_def("chosen").execute_in_process(
        instance=instance, partition_key=recipe, run_config=QUIET, raise_on_error=False, tags=tags
    )


def refusal(result: dg.ExecuteInProcessResult, step: str) -> str:
    """What a step failed with; it must have failed and made nothing."""
    assert step not in {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    [event] = [event for event in result.get_step_failure_events() if event.step_key == step]
    return "\n".join(_causes(event.step_failure_data.error))


class Server:
    """Dagster's webserver over a stage, asked in GraphQL as its own pages ask it."""

    def __init__(self, stage: Stage) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        program = str(Path(sys.executable).with_name("dagster-webserver"))
        self.log = stage.home / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [program, *CODE, "-h", "127.0.0.1", "-p", port], cwd=ROOT, env=stage.environment, stdout=log, stderr=log
            )

    def ask(self, query: str, **variables: object) -> dict:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())["data"]

    def ready(self, seconds: float = 180) -> "Server":
        end = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/server_info", timeout=2).close()
                return self
            except OSError:
                assert time.monotonic() < end, self.log.read_text()[-2000:]
                time.sleep(0.5)

    def answer(self, assets: list[str], recipe: str, checks: list | None) -> dict:
        """Launch assets of one partition from the asset graph; `checks` as the page sends them."""
        [repository] = self.ask(REPOSITORY)["repositoriesOrError"]["nodes"]
        selector = {
            "pipelineName": "__ASSET_JOB", "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
            "assetSelection": [{"path": [name]} for name in assets], "assetCheckSelection": checks,
        }  # fmt: skip
        tags = [{"key": "dagster/partition", "value": recipe}]
        params = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}, "mode": "default"}
        return self.ask(LAUNCH, params=params)["launchRun"]

    def launch(self, assets: list[str], recipe: str, checks: list | None) -> str:
        """The id of the run that `answer` started."""
        return _run_of(self.answer(assets, recipe, checks))

    def launch_again(self, run_id: str, strategy: str = "FROM_FAILURE") -> str:
        """Re-execute a run from where it failed."""
        answer = self.ask(AGAIN, params={"parentRunId": run_id, "strategy": strategy})
        return _run_of(answer["launchRunReexecution"])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


def _run_of(answer: dict) -> str:
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return answer["run"]["runId"]


def ended(instance: dg.DagsterInstance, run_id: str, seconds: float = 240) -> dg.DagsterRun:
    """A run once it is over."""
    end = time.monotonic() + seconds
    while True:
        run = instance.get_run_by_id(run_id)
        if run is not None and run.is_finished:
            return run
        assert time.monotonic() < end, run
        time.sleep(0.5)


def said(instance: dg.DagsterInstance, run_id: str) -> str:
    """Everything that the steps of a run failed with."""
    found = []
    for record in instance.all_logs(run_id):
        event = record.dagster_event
        if event is not None and event.is_step_failure:
            found += _causes(event.step_failure_data.error)
    return "\n".join(found)


def _causes(error: SerializableErrorInfo | None) -> Iterator[str]:
    while error is not None:
        yield error.message
        error = error.cause


def copy_stage(made: Path, folder: Path) -> Stage:
    return Stage(Path(shutil.copytree(made, folder / "project")), prepare_home(folder / "home"))


def approved_stage(folder: Path, model: Path, recipes: tuple[str, ...]) -> Path:
    """A project in which these recipes are approved and have a card, made in this process."""
    project = small_project.write_project(folder / "project", model)
    law(project)
    stage = Stage(project, prepare_home(folder / "home"))
    for recipe in recipes:
        for asset, partition in steps_to(stage.workspace(), "model_card", recipe):
            materialize(stage.workspace(), asset, partition)
    return project
