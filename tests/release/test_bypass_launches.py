"""Ways around the gate by the command line, the webserver and a backfill, in processes of their own.

The rows are those of a study of Dagster 1.13: what a blocking check leaves open. None ends in a released model; and the
control, an untouched project launched in the same way, does.
"""

import shutil
from collections.abc import Iterator

import dagster as dg
import pytest
from bypass_spoils import RECIPE, SPOILS, red_upstream, rejected_by_the_policy
from bypass_stage import CODE, Server, Stage, ended, prepare_home, said

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:Mean of empty slice"),  # a resample of few probes
]


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    running = Server(stage)
    try:
        yield running.ready()
    finally:
        running.close()


def test_the_control_is_released_by_the_same_command(stage: Stage) -> None:
    code, told = stage.materialize("released_model", recipe=RECIPE)
    assert code == 0, told[-3000:]
    assert stage.served()["release"]["recipe"] == RECIPE


def test_bypass_the_release_launched_alone(stage: Stage) -> None:
    """No check of any ancestor is in such a run."""
    red_upstream(stage)
    code, told = stage.materialize("released_model", recipe=RECIPE)
    assert (code, stage.served()) == (1, None)
    assert SPOILS[red_upstream] in told


def test_bypass_the_asset_between_is_skipped(stage: Stage) -> None:
    """Card and release without the decision between scores and them: only direct dependents are wired."""
    rejected_by_the_policy(stage)
    code, told = stage.materialize("eval_scores", "released_model", recipe=RECIPE)
    assert code == 1
    assert "task_floor failed" in told
    assert stage.served() is None


def test_bypass_a_wiped_instance(stage: Stage) -> None:
    red_upstream(stage)
    assert stage.materialize("released_model", recipe=RECIPE)[0] == 1
    assert stage.dagster("asset", "wipe", "--all", "--noprompt")[0] == 0
    shutil.rmtree(stage.home)
    prepare_home(stage.home)
    code, told = stage.materialize("released_model", recipe=RECIPE)
    assert (code, stage.served()) == (1, None)
    assert SPOILS[red_upstream] in told


def test_bypass_a_backfill_of_several_recipes(stage: Stage) -> None:
    """It names no single recipe: of two approved ones neither is promoted, both are proposed."""
    words = ("-j", "fine_tune", "--partitions", f"mixed,{RECIPE}", "--noprompt")
    code, told = stage.dagster("job", "backfill", *CODE, *words)
    assert code == 0, told[-3000:]
    with stage.instance() as instance:
        runs = [ended(instance, run.run_id) for run in instance.get_runs()]
        assert [run.status.value for run in runs] == ["SUCCESS", "SUCCESS"], [said(instance, r.run_id) for r in runs]
        events = instance.fetch_observations(dg.AssetKey("released_model"), limit=5).records
    proposed = {event.asset_observation.partition: event.asset_observation.metadata for event in events}
    assert set(proposed) == {"mixed", RECIPE}
    assert proposed[RECIPE]["next"].value.startswith(f"safety-assets promote {RECIPE} --decision ")
    assert stage.served() is None


def test_bypass_a_launch_with_no_checks_and_its_re_execution(stage: Stage, server: Server) -> None:
    """GraphQL with an empty check selection, as a page with every check deselected sends it; then from failure.

    What such a launch released while all was green stays what is served. The decision cannot be launched so at all: its
    checks are computed in its own step.
    """
    decided = server.answer(["release_decision", "model_card", "released_model"], RECIPE, [])
    assert decided["__typename"] == "InvalidSubsetError"
    with stage.instance() as instance:
        green = server.launch(["model_card", "released_model"], RECIPE, [])
        assert ended(instance, green).status == dg.DagsterRunStatus.SUCCESS, said(instance, green)
        released = stage.served()
        assert released["release"]["recipe"] == RECIPE
        red_upstream(stage)
        first = server.launch(["model_card", "released_model"], "mixed", [])
        assert ended(instance, first).status == dg.DagsterRunStatus.FAILURE
        again = [server.launch_again(first, strategy) for strategy in ("FROM_FAILURE", "ALL_STEPS")]
        for run in (first, *again):
            assert ended(instance, run).status == dg.DagsterRunStatus.FAILURE
            assert SPOILS[red_upstream] in said(instance, run)
    assert stage.served() == released
