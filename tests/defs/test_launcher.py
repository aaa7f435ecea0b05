"""Training in a child process: cancelled it saves and leaves nothing behind, resumed it ends with the same weights."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import small_project

from safety_assets.defs.launcher import MAX_OBSERVATIONS, _Story, stop_child
from safety_assets.project import open_project
from safety_assets.records import HISTORY
from safety_assets.store import Store

RUN = """
import sys
import dagster as dg
from safety_assets.definitions import defs
from safety_assets.defs.spec import RECIPES
quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
job = defs().resolve_job_def(sys.argv[1])
keys = [dg.AssetKey(name) for name in sys.argv[3:]] or None
with dg.DagsterInstance.ephemeral() as instance:
    recipe = sys.argv[2] or None
    result = job.execute_in_process(instance=instance, partition_key=recipe, asset_selection=keys, run_config=quiet)
    names = [event.event_type_value for event in result.all_events]
    print("observations", names.count("ASSET_OBSERVATION"))
"""
LONG = 600


def start(project: Path, *words: str) -> subprocess.Popen:
    environment = {**os.environ, "SAFETY_ASSETS_PROJECT": str(project)}
    return subprocess.Popen([sys.executable, "-c", RUN, *words], env=environment, stdout=subprocess.PIPE, text=True)


def workers(project: Path) -> list[psutil.Process]:
    """Training children of this project that are alive."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("SAFETY_ASSETS_PROJECT") == str(project)
            if mine and "safety_assets.worker" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def training_has_begun(project: Path) -> bool:
    return bool(list((project / "store" / "work").glob("*/watch_baseline.json")))


def saved_states(project: Path) -> list[Path]:
    return list((project / "store" / "work").glob("*/state/state.safetensors"))


@pytest.fixture(scope="module")
def measured_once(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which `plain` takes long, and everything before it was made."""
    folder = Path(shutil.copytree(small, tmp_path_factory.mktemp("measured") / "project"))
    settings = small_project.recipe_settings("plain")
    settings["optimiser"]["steps"] = LONG
    settings["monitor"] = {"every": LONG}
    small_project.write_yaml(folder / "recipes" / "plain.yaml", settings)
    finish(start(folder, "measure", ""))
    assert workers(folder) == []
    return folder


@pytest.fixture
def measured(measured_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured_once, tmp_path / "project"))


def finish(run: subprocess.Popen) -> str:
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    return said


@pytest.mark.long
def test_a_cancelled_training_saves_leaves_no_process_and_resumes(measured: Path) -> None:
    running = start(measured, "fine_tune", "plain", "finetuned_checkpoint")
    wait_until(lambda: training_has_begun(measured) and workers(measured))
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode != 0
    assert workers(measured) == []
    assert saved_states(measured)

    said = finish(start(measured, "fine_tune", "plain", "finetuned_checkpoint"))
    assert 1 <= int(said.split()[-1]) <= MAX_OBSERVATIONS
    store = Store(open_project(measured).storage)
    history = store.current("finetuned_checkpoint", "plain").frame("history", HISTORY)
    steps = history.filter(series="loss")["step"].to_list()
    assert steps == sorted(set(steps))
    assert steps[-1] == LONG
    assert saved_states(measured) == []


@pytest.mark.long
def test_a_training_ends_when_its_parent_dies(measured: Path) -> None:
    running = start(measured, "fine_tune", "plain", "finetuned_checkpoint")
    wait_until(lambda: training_has_begun(measured) and workers(measured))
    running.kill()
    running.communicate()
    wait_until(lambda: not workers(measured), seconds=30)
    assert saved_states(measured)


def test_a_child_that_does_not_listen_is_killed_with_its_own_children() -> None:
    deaf = "trap '' INT; sleep 600 & trap '' INT; wait; sleep 600"
    child = subprocess.Popen(["bash", "-c", deaf], start_new_session=True)
    time.sleep(0.5)
    family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
    assert len(family) == 2
    stop_child(child, grace_seconds=0.5)
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def test_steps_become_few_observations_and_the_rest_log_lines() -> None:
    class Context:
        has_partition_key = False
        asset_key = "finetuned_checkpoint"

        def __init__(self) -> None:
            self.observed, self.lines = [], []
            self.log = self

        def log_event(self, event: object) -> None:
            self.observed.append(event)

        def info(self, line: str) -> None:
            self.lines.append(line)

    context = Context()
    story = _Story(context, total_steps=10_000)
    steps = [{"event": "step", "step": n, "steps": 10_000, "loss": 1.0} for n in range(1, 10_001)]
    story.tell(steps[:5_000])
    story.tell([*steps, {"event": "watch", "step": 10_000, "scores": {"safety": 9.0}}])
    *told, watched = context.observed
    assert len(told) == MAX_OBSERVATIONS
    assert {name: value.value for name, value in watched.metadata.items()} == {"step": 10_000, "watch/safety": 9.0}
    assert context.lines == ["event: watch, step: 10000, scores: {'safety': 9.0}"]
