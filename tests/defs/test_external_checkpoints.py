"""A checkpoint put into a folder is gated once, in Dagster, and never moves what is released."""

import json
import os
import shutil
import time
from pathlib import Path

import dagster as dg
import pytest
import small_checkpoints
import yaml
from run_results import Materialize, failures, made

from safety_assets.defs import arrivals as sensors
from safety_assets.defs.spec import CHECKPOINTS

pytestmark = [
    pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`"),  # Dagster's own use
    pytest.mark.filterwarnings("ignore:Mean of empty slice"),  # a resample of few probes
]


@pytest.fixture
def arrivals(project: Path) -> Path:
    """The folder that the project watches; what is in it counts as at rest at once."""
    settings = yaml.safe_load((project / "project.yaml").read_text())
    settle(project, {**settings, "external_checkpoints": "arrivals"}, seconds=0.0)
    folder = project / "arrivals"
    folder.mkdir()
    return folder


def settle(project: Path, settings: dict, *, seconds: float) -> None:
    (project / "project.yaml").write_text(yaml.safe_dump({**settings, "operation": {"settled": seconds}}))


class Ticks:
    """Evaluates the sensor as the daemon does: the cursor of one tick is the next one's."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.cursor = instance, None

    def __call__(self) -> list[dg.RunRequest]:
        result = sensors.external_checkpoints(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        if isinstance(result, dg.SkipReason):
            self.said = result.skip_message
            return []
        self.cursor, self.said = result.cursor, result.skip_reason
        for request in result.dynamic_partitions_requests:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        return list(result.run_requests or ())


@pytest.fixture
def tick(project: Path, instance: dg.DagsterInstance) -> Ticks:
    return Ticks(instance)


def test_without_a_folder_it_says_why_it_sleeps(tick: Ticks) -> None:
    assert tick() == []
    assert "names no external_checkpoints" in tick.said


def test_it_is_stopped_until_somebody_starts_it() -> None:
    assert sensors.external_checkpoints.default_status == dg.DefaultSensorStatus.STOPPED


def test_the_same_content_is_asked_for_once(arrivals: Path, tick: Ticks, tiny_model: Path) -> None:
    assert tick() == []
    shutil.copytree(tiny_model, arrivals / "first")
    [request] = tick()
    assert request.partition_key == "first"
    assert tick() == []
    shutil.rmtree(arrivals / "first")
    assert tick() == []
    shutil.copytree(tiny_model, arrivals / "first")
    shutil.copytree(tiny_model, arrivals / "again")
    assert tick() + tick() + tick() == []
    small_checkpoints.with_other_weights(tiny_model, arrivals / "other")
    [changed] = tick()
    assert changed.partition_key == "other"
    assert changed.run_key != request.run_key


def test_a_lost_cursor_asks_under_the_same_key(
    arrivals: Path, tick: Ticks, instance: dg.DagsterInstance, tiny_model: Path
) -> None:
    """Dagster launches nothing for a key that it has seen."""
    shutil.copytree(tiny_model, arrivals / "first")
    [request] = tick()
    (arrivals / "first").rename(arrivals / "second")
    [repeated] = Ticks(instance)()
    assert repeated.run_key == request.run_key


def test_what_is_incomplete_hidden_or_still_written_waits(
    arrivals: Path, project: Path, tick: Ticks, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, arrivals / "no-weights", ignore=shutil.ignore_patterns("*.safetensors"))
    shutil.copytree(tiny_model, arrivals / "no-config", ignore=shutil.ignore_patterns("config.json"))
    shutil.copytree(tiny_model, arrivals / ".copying")
    (arrivals / "notes.txt").write_text("no checkpoint")
    assert tick() == []
    settle(project, yaml.safe_load((project / "project.yaml").read_text()), seconds=30.0)
    fresh = Path(shutil.copytree(tiny_model, arrivals / "fresh"))
    for path in fresh.iterdir():
        os.utime(path, (0, 0))  # a copy that keeps old times is still a new one
    assert tick() == []
    monkeypatch.setattr(sensors.time, "time", lambda now=time.time: now() + 31)
    assert [request.partition_key for request in tick()] == ["fresh"]


def test_a_verdict_is_kept_in_the_store_and_beside_the_checkpoint(
    arrivals: Path, tick: Ticks, project: Path, instance: dg.DagsterInstance, run: Materialize, tiny_model: Path
) -> None:
    shutil.copytree(tiny_model, arrivals / "mine")
    before = sorted(path.name for path in (arrivals / "mine").iterdir())
    [request] = tick()
    assert instance.get_dynamic_partitions(CHECKPOINTS.name) == ["mine"]
    result = run("external_verdict", recipe=request.partition_key)
    assert failures(result) == {}
    assert made(result) == ["external_verdict"]
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.partition) == ("checkpoint_keeps_alignment", True, "mine")
    said = json.loads((arrivals / "mine.verdict.json").read_text())
    kept = json.loads((project / "store" / "current" / "external_verdict" / "mine.json").read_text())
    assert said == json.loads((project / "store" / "objects" / kept["digest"] / "verdict.json").read_text())
    assert (said["decision"], said["tuned"]) == ("approved", said["base"])
    assert sorted(path.name for path in (arrivals / "mine").iterdir()) == before
    assert tick() == []
    assert not (project / "store" / "released").exists()
    assert not (project / "store" / "ledger").exists()


def test_a_checkpoint_that_lost_something_is_materialized_and_red(
    arrivals: Path, project: Path, instance: dg.DagsterInstance, run: Materialize, tiny_model: Path
) -> None:
    small_checkpoints.policy_file(project / "policy.yaml", max_drop=0.0)
    small_checkpoints.with_other_weights(tiny_model, arrivals / "worse")
    instance.add_dynamic_partitions(CHECKPOINTS.name, ["worse"])
    result = run("external_verdict", recipe="worse")
    assert not result.success
    assert made(result) == ["external_verdict"]
    [check] = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert "drops by" in check.description
    assert json.loads((arrivals / "worse.verdict.json").read_text())["decision"] == "rejected"


def test_a_gating_that_ends_early_leaves_no_older_approval(
    arrivals: Path, project: Path, instance: dg.DagsterInstance, run: Materialize, tiny_model: Path
) -> None:
    shutil.copytree(tiny_model, arrivals / "mine")
    (arrivals / "mine.verdict.json").write_text('{"decision": "approved"}')
    shutil.rmtree(project / "probes")
    instance.add_dynamic_partitions(CHECKPOINTS.name, ["mine"])
    result = run("external_verdict", recipe="mine")
    assert not result.success
    assert made(result) == []
    assert json.loads((arrivals / "mine.verdict.json").read_text())["decision"] == "not_certified"
