"""The sensor that repairs what was rejected: what it asks for, and when it rests."""

from pathlib import Path

import dagster as dg
import pytest
import small_project

from safety_assets.defs import sensors
from safety_assets.flows.trying import Next


def ticked(instance: dg.DagsterInstance) -> dg.SensorResult | dg.SkipReason:
    return sensors.rejected_recipes(dg.build_sensor_context(instance=instance))


def test_nothing_was_rejected(project: Path, instance: dg.DagsterInstance) -> None:
    found = ticked(instance)
    assert isinstance(found, dg.SkipReason)
    assert sensors.rejected_recipes.default_status == dg.DefaultSensorStatus.STOPPED


def test_the_next_candidate_is_asked_for_once_per_checkpoint(
    project: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    repairs = [{"repair": "merge", "share": 0.5}]
    settings = small_project.recipe_settings("plain") | {"repairs": repairs}
    small_project.write_yaml(project / "recipes" / "plain.yaml", settings)
    rejected = {"plain": Next("plain--merge", "abc")}
    monkeypatch.setattr(sensors, "next_candidate", lambda ws, name: rejected.get(name))
    found = ticked(instance)
    assert isinstance(found, dg.SensorResult)
    assert [(run.partition_key, run.run_key) for run in found.run_requests or ()] == [
        ("plain--merge", "plain--merge:abc")
    ]
