"""A running daemon over the real definitions, turned on: what it launches by itself, and what it launches once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import small_checkpoints
import small_project
import yaml
from processes import Processes, until

from safety_assets.project import PROJECT_VARIABLE

ROOT = Path(__file__).parents[2]
RECIPE = "mixed"
SCHEDULES = {"retrain_every_week": "measure", "recheck_every_night": "recheck"}
SENSORS = (
    "edited_inputs", "edited_corpus", "external_checkpoints", "rejected_recipes", "newer_probes", "measured", "alerts",
    "cheap_assets",
)  # fmt: skip
OPERATION = {
    "turned_on": True, "look_every": 1, "settled": 1.0, "retrain": "* * * * *", "recheck": "* * * * *",
    "alerts": {"model_owner": [{"to": "log"}]},
}  # fmt: skip

pytestmark = pytest.mark.long


class Watched:
    """An instance that a daemon works on, and the project of its code location."""

    def __init__(self, instance: dg.DagsterInstance, project: Path) -> None:
        self.instance, self.project = instance, project

    def ticks(self, name: str) -> list:
        """The ticks of a schedule or sensor, newest first."""
        states = [s for s in self.instance.all_instigator_state() if s.instigator_name == name]
        return [t for s in states for t in self.instance.get_ticks(s.instigator_origin_id, s.selector_id)]

    def said(self, name: str) -> list[str]:
        """Why a sensor asked for nothing, newest first."""
        return [tick.tick_data.skip_reason or "" for tick in self.ticks(name)]

    def stop(self, name: str) -> None:
        """As the switch on Dagster's pages does."""
        [state] = [s for s in self.instance.all_instigator_state() if s.instigator_name == name]
        self.instance.update_instigator_state(state.with_status(type(state.status).STOPPED))

    def runs(self, tag: str, value: str) -> list[dg.DagsterRun]:
        """The runs with a tag of Dagster's, newest first."""
        return list(self.instance.get_runs(dg.RunsFilter(tags={f"dagster/{tag}": value})))

    def succeeded(self, tag: str, value: str) -> list[dg.DagsterRun]:
        runs = self.runs(tag, value)
        assert [run for run in runs if run.status == dg.DagsterRunStatus.FAILURE] == []
        return [run for run in runs if run.is_success]


@pytest.fixture(scope="module")
def watched(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The repository's own dagster.yaml and workspace.yaml, the project's own definitions, and a daemon."""
    home = tmp_path_factory.mktemp("home")
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, home)
    project = small_project.write_project(home / "project", tiny_model, recipes=(RECIPE,))
    settings = yaml.safe_load((project / "project.yaml").read_text())
    arrivals = {"external_checkpoints": "arrivals", "operation": OPERATION}
    small_project.write_yaml(project / "project.yaml", {**settings, **arrivals})
    (project / "arrivals").mkdir()
    processes = Processes(home)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"DAGSTER_HOME": home, PROJECT_VARIABLE: project, "PYTHONWARNINGS": "ignore"}.items():
            patch.setenv(name, str(value))
        with dg.DagsterInstance.from_config(str(home)) as instance:
            processes.daemon()
            yield Watched(instance, project)
            processes.end()


def test_schedules_tick_and_their_runs_succeed(watched: Watched) -> None:
    until(lambda: all(watched.ticks(name) for name in SCHEDULES), "a tick of both schedules")
    for name in SCHEDULES:
        watched.stop(name)
    for name, job in SCHEDULES.items():
        until(lambda name=name: watched.succeeded("schedule_name", name), f"the run of {name}")
        assert {run.job_name for run in watched.runs("schedule_name", name)} == {job}
        keys = [run.tags["dagster/run_key"] for run in watched.runs("schedule_name", name)]
        assert len(keys) == len(set(keys))


def test_training_follows_the_measurement_and_releases_nothing(watched: Watched) -> None:
    until(lambda: watched.succeeded("sensor_name", "measured"), "training after the schedule's measurement")
    assert {run.tags["dagster/partition"] for run in watched.runs("sensor_name", "measured")} == {RECIPE}
    assert (watched.project / "store" / "current" / "release_decision" / f"{RECIPE}.json").exists()
    assert not (watched.project / "store" / "released").exists()


def test_the_leaderboard_follows_the_scores_by_itself(watched: Watched) -> None:
    """No job of the schedules makes it: its condition asks, once every recipe has scores that pass."""

    def followed() -> list[dg.DagsterRun]:
        runs = watched.succeeded("from_automation_condition", "true")
        return [run for run in runs if dg.AssetKey("recipe_leaderboard") in (run.asset_selection or ())]

    until(followed, "the leaderboard")
    assert any(followed()[0].run_id in tick.run_ids for tick in watched.ticks("cheap_assets"))
    assert (watched.project / "store" / "current" / "recipe_leaderboard" / "all.json").exists()


def test_a_checkpoint_put_there_twice_is_gated_once_and_its_refusal_told_once(watched: Watched) -> None:
    tiny = Path(yaml.safe_load((watched.project / "project.yaml").read_text())["base_model"])
    arrivals = watched.project / "arrivals"
    small_checkpoints.not_a_number(tiny, arrivals / "first")
    until(lambda: any(said.startswith("1 new alerts") for said in watched.said("alerts")), "an alert")
    shutil.copytree(arrivals / "first", arrivals / "second")
    known = "second holds what first held when it was gated"
    until(lambda: known in watched.said("external_checkpoints"), "a look at the second")
    [gated] = watched.runs("sensor_name", "external_checkpoints")
    assert gated.tags["dagster/partition"] == "first"
    assert gated.status == dg.DagsterRunStatus.FAILURE
    assert len(list((watched.project / "store" / "alerts").iterdir())) == 1


def test_the_same_file_dropped_twice_makes_one_run(watched: Watched) -> None:
    """Written again under its name, and once more under another."""
    row = small_project.chat("Question 99 about savings?", "For savings see page 99 of the guide.")

    def drop(name: str) -> None:
        small_project.write_lines(watched.project / "corpus" / name, [row])

    def asked() -> int:
        return len(watched.runs("sensor_name", "edited_corpus"))

    def known() -> int:
        return sum("contents are known" in said for said in watched.said("edited_corpus"))

    until(lambda: asked() == 1, "the run for what was there at first")
    drop("new.jsonl")
    until(lambda: asked() == 2, "the run for the new file")
    drop("new.jsonl")
    until(lambda: known() == 1, "a look at the file that was written again")
    drop("again.jsonl")
    until(lambda: known() == 2, "a look at its copy")
    assert asked() == 2


def test_every_sensor_ticked_and_none_failed(watched: Watched) -> None:
    for name in SENSORS:
        until(lambda name=name: watched.ticks(name), f"a tick of {name}")
        assert {t.status.value for t in watched.ticks(name)} <= {"SUCCESS", "SKIPPED", "STARTED"}, name
