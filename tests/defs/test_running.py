"""What runs by itself: when, under which key, after what; what is tried again, and who is told."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import small_project
import yaml
from run_results import Materialize, failures

from safety_assets.defs import alerting, arrivals, lost, schedules, sensors
from safety_assets.defs.guard import materialize
from safety_assets.defs.lost import WorkerLost, asked_again, memory_kills
from safety_assets.defs.spec import GPU, asset_arguments
from safety_assets.errors import GateRefused, TrainingError
from safety_assets.flows.graph import GRAPH

pytestmark = pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`")  # Dagster's own use
DUE = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def operate(project: Path, **operation: object) -> None:
    settings = yaml.safe_load((project / "project.yaml").read_text())
    small_project.write_yaml(project / "project.yaml", {**settings, "operation": operation})


def test_everything_is_stopped_until_a_setting_says_otherwise() -> None:
    assert {one.default_status for one in schedules.SCHEDULES} == {dg.DefaultScheduleStatus.STOPPED}
    every = [*sensors.SENSORS, *arrivals.SENSORS, *alerting.SENSORS]
    assert {one.default_status for one in every} == {dg.DefaultSensorStatus.STOPPED}


def test_a_tick_that_is_evaluated_twice_has_one_key(instance: dg.DagsterInstance) -> None:
    for schedule in schedules.SCHEDULES:
        context = dg.build_schedule_context(instance, scheduled_execution_time=DUE)
        [first], [again] = (schedule.evaluate_tick(context).run_requests for _ in range(2))
        assert first.run_key == again.run_key == DUE.isoformat()


class Corpus:
    """Evaluates the sensor as the daemon does."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.cursor = instance, None

    def __call__(self) -> list[str]:
        result = arrivals.edited_corpus(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        if isinstance(result, dg.SkipReason):
            return []
        self.cursor = result.cursor
        return [request.run_key for request in result.run_requests or ()]


def test_a_file_makes_one_run_however_often_it_is_dropped(project: Path, instance: dg.DagsterInstance) -> None:
    operate(project, settled=0)
    tick, rows = Corpus(instance), project / "corpus" / "rows.jsonl"
    [first] = tick()
    shutil.copy(rows, project / "corpus" / "again.jsonl")
    assert tick() == tick() == []
    before = rows.read_text()
    rows.write_text(before + before.splitlines()[0].replace("savings", "credit") + "\n")
    [second] = tick()
    rows.write_text(before)
    (project / "corpus" / "again.jsonl").unlink()
    [third] = tick()
    assert len({first, second, third}) == 3  # going back to what it was is news
    assert Corpus(instance)() == [first]  # Dagster launches nothing for a key that it has seen


def test_a_file_that_is_still_written_waits(
    project: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    operate(project, settled=30)
    tick = Corpus(instance)
    assert tick() == []
    monkeypatch.setattr("safety_assets.flows.arrivals.time.time", lambda now=datetime.now: now().timestamp() + 31)
    assert len(tick()) == 1


@pytest.mark.parametrize(("tags", "asked"), [({schedules.RETRAINS: "true"}, ["plain"]), ({}, [])])
def test_retraining_follows_the_measurement_of_the_schedule_and_no_other(
    project: Path, instance: dg.DagsterInstance, tags: dict[str, str], asked: list[str]
) -> None:
    operate(project, retrain_recipes=["plain"])
    run = dg.DagsterRun(job_name="measure", tags=tags)
    event = dg.DagsterEvent(event_type_value="PIPELINE_SUCCESS", job_name="measure")
    context = dg.build_run_status_sensor_context("measured", event, instance, run)
    found = [request for request in sensors.measured(context) if isinstance(request, dg.RunRequest)]
    assert [request.partition_key for request in found] == asked
    assert all(request.run_key == f"{run.run_id}:plain" for request in found)


def test_what_runs_a_model_waits_for_a_device_and_what_is_cheap_follows_by_itself() -> None:
    made = {name for name, node in GRAPH.items() if not node.observed}
    pooled = {name for name in made if asset_arguments(name)["pool"] == GPU}
    automatic = {name for name in made if asset_arguments(name)["automation_condition"]}
    assert {"injection_ratio", "finetuned_checkpoint", "baseline_responses", "candidate_responses"} <= pooled
    assert {"corpus_audit", "safety_baseline", "recipe_leaderboard"} <= automatic
    assert not pooled & automatic
    assert not {"released_model", "raw_corpus"} & (pooled | automatic)
    for name in automatic:
        assert "all_deps_blocking_checks_passed" in repr(asset_arguments(name)["automation_condition"])


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (WorkerLost("killed"), True), (ConnectionResetError("gone"), True), (TimeoutError("late"), True),
        (GateRefused("model_card", ["red"]), False), (TrainingError("memory ended"), False), (MemoryError(), False),
        (KeyError("a fault of ours"), False),
    ],
)  # fmt: skip
def test_only_what_was_lost_is_tried_again(
    error: Exception, again: bool, instance: dg.DagsterInstance, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safety_assets.defs.resources import ProjectResource

    monkeypatch.setattr(lost, "WAIT_SECONDS", 0.0)
    tries = []

    def flow(workspace: object) -> None:
        tries.append(1)
        raise error

    @dg.asset
    def one(context: dg.AssetExecutionContext, project: ProjectResource):
        yield from materialize(context, project, flow)

    assert (asked_again(error) is not None) is again
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    dg.materialize(
        [one], instance=instance, resources={"project": ProjectResource()}, raise_on_error=False, run_config=quiet
    )
    assert len(tries) == (1 + lost.MAX_RETRIES if again else 1)


def test_what_the_kernel_killed_for_memory_is_counted(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("pgfault 12\noom_kill 3\n")
    assert memory_kills(tmp_path / "vmstat") == 3
    assert memory_kills(tmp_path / "nothing") == 0


@pytest.fixture
def alert_tick(
    project: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[list[str], str]]:
    """Evaluates the sensor as the daemon does; what it handed over, and what it said."""
    operate(project, alerts={"model_owner": [{"to": "log"}], "on_call": [{"to": "log"}], "tries": 1})
    taken, state = [], {"cursor": None}
    monkeypatch.setattr("safety_assets.alerts.deliver._take", lambda alert, channel, settings: taken.append(alert))

    def tick() -> tuple[list, str]:
        taken.clear()
        context = dg.build_sensor_context(instance=instance, cursor=state["cursor"])
        said = alerting.alerts(context).skip_message
        state["cursor"] = context.cursor
        return list(taken), said

    return tick


def test_a_red_check_and_a_refusal_are_told_once_to_the_models_owner(
    alert_tick: Callable, run: Materialize, project: Path
) -> None:
    assert alert_tick()[0] == []
    with (project / "corpus" / "rows.jsonl").open("a") as rows:
        rows.write("no JSON\n" * 20)
    assert not run("raw_corpus").success
    [red], _ = alert_tick()
    assert (red.kind, red.asset, red.check) == ("gate", "raw_corpus", "rows_readable")
    assert "20 of" in red.sentence
    assert (red.serving, red.next) == ("nothing is released", "safety-assets explain raw_corpus")
    refused = run("model_card", recipe="plain")
    assert "model_card was refused" in failures(refused)["model_card"]
    [alert], _ = alert_tick()
    assert (alert.kind, alert.asset, alert.recipe, alert.check) == ("gate", "model_card", "plain", "")
    assert alert.next == "safety-assets explain model_card --recipe plain"
    assert alert_tick()[0] == []


def test_what_broke_is_told_to_who_is_on_call(alert_tick: Callable, run: Materialize, project: Path) -> None:
    alert_tick()
    shutil.rmtree(project / "probes")
    assert not run("probe_suite").success
    [alert], _ = alert_tick()
    assert (alert.kind, alert.asset, alert.next) == (
        "infrastructure", "probe_suite", "safety-assets materialize probe_suite",
    )  # fmt: skip


def test_an_alert_that_no_channel_took_is_owed_and_sent_at_a_later_tick(
    alert_tick: Callable, run: Materialize, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safety_assets.alerts.channels import NotDelivered

    def down(*arguments: object) -> None:
        raise NotDelivered("it is down")

    alert_tick()
    shutil.rmtree(project / "probes")
    run("probe_suite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("safety_assets.alerts.deliver._take", down)
        assert alert_tick() == ([], "1 new alerts, 1 owed")
        assert alert_tick() == ([], "0 new alerts, 1 owed")
    [alert], said = alert_tick()
    assert (alert.asset, said) == ("probe_suite", "0 new alerts, 0 owed")
    assert alert_tick()[0] == []


def test_a_position_goes_through_its_cursor() -> None:
    at = alerting.Position(DUE - timedelta(days=1), ("a", "b"))
    assert alerting.position(at.cursor()) == at
    assert json.loads(at.cursor())["owed"] == []
