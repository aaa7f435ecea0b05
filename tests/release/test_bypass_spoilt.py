"""An approved recipe that was spoilt, and runs that are no promotion by a person: nothing is released.

Each is a run on a real instance that holds the release alone, so that no check of an ancestor is in it.
"""

import json

import dagster as dg
import pytest
from bypass_spoils import RECIPE, SPOILS, Spoil
from bypass_stage import QUIET, Stage, refusal, run_here

from safety_assets.defs.launched import BY_A_PROGRAM
from safety_assets.errors import GateRefused, StoreError
from safety_assets.flows.release import promote, released_folder
from safety_assets.store import canonical_json, digest_json

pytestmark = [
    pytest.mark.long,  # a project is trained for all of them
    pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`"),  # Dagster's own use
    pytest.mark.filterwarnings("ignore:Mean of empty slice"),  # a resample of few probes
]
RELEASED = dg.AssetKey("released_model")


def test_the_control_is_released_by_the_same_run(stage: Stage, instance: dg.DagsterInstance) -> None:
    assert run_here(instance, "released_model", recipe=RECIPE).success
    assert stage.served()["release"]["recipe"] == RECIPE
    assert released_folder(stage.workspace()).is_dir()


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
def test_bypass_a_release_of_what_was_spoilt(stage: Stage, instance: dg.DagsterInstance, spoil: Spoil) -> None:
    """By a run, and by the function behind `safety-assets promote`."""
    spoil(stage)
    assert SPOILS[spoil] in refusal(run_here(instance, "released_model", recipe=RECIPE), "released_model")
    with pytest.raises(GateRefused) as refused:
        promote(stage.workspace(), RECIPE)
    assert SPOILS[spoil] in str(refused.value)
    assert stage.served() is None


def test_bypass_another_recipe_that_is_green_opens_nothing(stage: Stage, instance: dg.DagsterInstance) -> None:
    """Partition isolation: `protected` is approved, `plain` was never made."""
    told = refusal(run_here(instance, "released_model", recipe="plain"), "released_model")
    assert "release_decision of plain was never materialized" in told
    assert stage.served() is None


@pytest.mark.parametrize("tag", BY_A_PROGRAM)
def test_bypass_a_run_that_no_person_launched_proposes(stage: Stage, instance: dg.DagsterInstance, tag: str) -> None:
    result = run_here(instance, "released_model", recipe=RECIPE, **{tag: "weekly"})
    assert result.success
    assert not result.get_asset_materialization_events()
    [event] = instance.fetch_observations(RELEASED, limit=5).records
    seen = event.asset_observation
    assert (seen.partition, seen.metadata["proposed by"].value) == (RECIPE, BY_A_PROGRAM[tag])
    assert seen.metadata["why"].value == "The policy has promotions made by hand."
    decision = seen.metadata["decision"].value
    assert seen.metadata["next"].value == f"safety-assets promote {RECIPE} --decision {decision[:12]}"
    assert stage.served() is None
    promote(stage.workspace(), RECIPE, decision[:12])
    assert stage.served()["release"]["recipe"] == RECIPE


def test_bypass_a_pointer_edited_by_hand(stage: Stage, instance: dg.DagsterInstance) -> None:
    """To other weights of the same store: nothing is served, nothing is promoted over it, a roll-back mends it."""
    assert run_here(instance, "released_model", recipe=RECIPE).success
    sound = stage.served()
    other = stage.workspace().store.current("finetuned_checkpoint", "mixed").path / "model"
    folder = other.relative_to(stage.folder / "store").as_posix()
    body = {**sound, "release": {**sound["release"], "folder": folder}}
    body["digest"] = digest_json({name: value for name, value in body.items() if name != "digest"})
    pointer = stage.folder / "store" / "released" / "small.json"
    pointer.write_text(json.dumps(body))
    with pytest.raises(StoreError, match="changed by hand"):
        released_folder(stage.workspace())
    assert "changed by hand" in refusal(run_here(instance, "released_model", recipe="mixed"), "released_model")
    assert rolled_back(instance, to=1).success
    assert stage.served()["release"] == sound["release"]


def test_bypass_pointer_and_history_written_by_hand(stage: Stage) -> None:
    """Whoever computes every digest again serves weights that no decision in the ledger approved."""
    promote(stage.workspace(), RECIPE)
    pointer = stage.folder / "store" / "released" / "small.json"
    body = {**stage.served(), "sequence": 1}
    body["release"]["decision"]["recipe"] = "plain"
    body["digest"] = digest_json({name: value for name, value in body.items() if name != "digest"})
    pointer.write_text(json.dumps(body))
    pointer.with_name("small.history.jsonl").write_text(canonical_json(body) + "\n")
    with pytest.raises(StoreError, match="not in the ledger"):
        released_folder(stage.workspace())


def rolled_back(instance: dg.DagsterInstance, **config: object) -> dg.ExecuteInProcessResult:
    from safety_assets.definitions import defs

    job = defs().resolve_job_def("roll_back")
    settings = {**QUIET, "ops": {"move_back": {"config": config}}}
    return job.execute_in_process(instance=instance, run_config=settings, raise_on_error=False)


def test_the_job_that_rolls_back_moves_the_pointer_and_reports_it(stage: Stage, instance: dg.DagsterInstance) -> None:
    for recipe in (RECIPE, "mixed"):
        promote(stage.workspace(), recipe)
    assert rolled_back(instance, why="Complaints.").success
    assert (stage.served()["action"], stage.served()["release"]["recipe"]) == ("roll_back", RECIPE)
    event = instance.get_latest_materialization_event(RELEASED).asset_materialization
    assert event.partition == RECIPE
    assert (event.metadata["action"].value, event.metadata["why"].value) == ("roll_back", "Complaints.")
    assert event.metadata["today's gate has against it"].value == "nothing"
    assert not rolled_back(instance).success  # there is no release before the first
    assert stage.served()["sequence"] == 3
