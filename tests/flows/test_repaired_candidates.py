"""Repairs in the graph: part of a checkpoint, or candidates of their own behind the same gates."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project
from safetensors.torch import load_file

from safety_assets.errors import GateRefused, ProjectError
from safety_assets.flows.assets import materialize
from safety_assets.flows.gates import admit
from safety_assets.flows.inputs import partition_of
from safety_assets.flows.release import decision_of, released_record
from safety_assets.flows.standing import explain, steps_to
from safety_assets.flows.trying import next_candidate
from safety_assets.flows.workspace import Workspace

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore:Mean of empty slice")]  # a resample of few probes
Again = Callable[..., Workspace]
Opened = Callable[[Path], Workspace]

MERGE = {"repair": "merge", "share": 0.5}
NAME = "protected--merge"
CHAIN = ("finetuned_checkpoint", "candidate_responses", "eval_scores", "forgotten_behaviours", "release_decision")


def write_recipe(folder: Path, name: str = "protected", **changes: object) -> None:
    small_project.write_yaml(folder / "recipes" / f"{name}.yaml", small_project.recipe_settings(name) | changes)


def weights(ws: Workspace, name: str) -> dict:
    return load_file(ws.store.current("finetuned_checkpoint", name).path / "model" / "model.safetensors")


@pytest.fixture(scope="module")
def tried(finished: Path, opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished project with `protected` merged by half, scored and decided."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("tried") / "project"))
    write_recipe(folder, repairs=[MERGE])
    for asset in CHAIN:
        materialize(opened(folder), asset, NAME)
    return folder


@pytest.fixture
def again(tried: Path, opened: Opened, tmp_path: Path) -> Again:
    folder = Path(shutil.copytree(tried, tmp_path / "project"))
    return lambda: opened(folder)


def test_naming_repairs_makes_nothing_stale(again: Again) -> None:
    assert admit(again(), "released_model", "protected")
    assert explain(again(), "finetuned_checkpoint", "protected").state in ("green", "warned")
    assert again().project.recipe_names()[-2:] == ["protected", NAME]


def test_a_candidate_is_the_checkpoint_and_the_repair(again: Again, tiny_model: Path) -> None:
    ws = again()
    base, tuned, merged = load_file(tiny_model / "model.safetensors"), weights(ws, "protected"), weights(ws, NAME)
    for name in base:
        assert ((base[name] + tuned[name]) / 2 - merged[name]).abs().max() < 1e-6
    manifest = ws.store.current("finetuned_checkpoint", NAME).manifest
    assert manifest.inputs["finetuned_checkpoint"] == ws.store.current("finetuned_checkpoint", "protected").digest
    training = ws.store.current("finetuned_checkpoint", NAME).json("training")
    assert [one["repair"] for one in training["repairs"]] == ["merge"]
    assert training["recipe"]["name"] == NAME


def test_it_is_scored_decided_compared_and_released_like_any_other(again: Again) -> None:
    ws = again()
    decision = decision_of(ws.store.current("release_decision", NAME))
    assert decision.status == "approved", decision.reasons
    assert [note for note in decision.notes if "merge (share 0.5" in note]
    board = materialize(ws, "recipe_leaderboard").metadata["leaderboard"]
    assert set(board["recipe"]) == {"protected", NAME}
    card = materialize(again(), "model_card", NAME).artefact
    assert "merge (share 0.5" in (card.path / "card.md").read_text()
    materialize(again(), "released_model", NAME)
    record = released_record(again())
    assert record is not None
    assert record["release"]["recipe"] == NAME


def test_drift_is_shown_beside_the_scores_and_gates_nothing(again: Again) -> None:
    shown = materialize(again(), "eval_scores", NAME).metadata
    assert shown["drift/direction_cosine"] > 0.5  # four steps, half of them taken back
    assert "drift/separation_kept" in shown
    found = again().store.current("eval_scores", NAME).json("drift")
    assert set(found) == {"layer", "separation_kept", "direction_cosine", "token_mass", "token_mass_shift"}
    decision = decision_of(again().store.current("release_decision", NAME))
    assert not [verdict for verdict in decision.verdicts if "drift" in verdict.check]
    anatomy = materialize(again(), "safety_anatomy").metadata
    assert {"angular_gap", "neurons_per_layer", "safety_layers_found_by"} <= set(anatomy)


def test_another_repair_or_recipe_makes_it_stale_and_refused(again: Again) -> None:
    folder = again().project.folder
    write_recipe(folder, repairs=[{**MERGE, "share": 0.4}])
    with pytest.raises(GateRefused, match=r"finetuned_checkpoint \[protected--merge\] is stale: .* recipe"):
        admit(again(), "model_card", NAME)
    write_recipe(folder, repairs=[MERGE], seed=1)
    with pytest.raises(GateRefused, match=r"finetuned_checkpoint \[protected\] is stale"):
        admit(again(), "finetuned_checkpoint", NAME)  # what it would repair is not what the recipe makes now
    write_recipe(folder, repairs=[])
    with pytest.raises(GateRefused, match="no recipe protected--merge"):
        admit(again(), "model_card", NAME)


def test_a_newer_checkpoint_makes_the_repaired_one_stale(again: Again) -> None:
    folder = again().project.folder
    write_recipe(folder, repairs=[MERGE], seed=1)
    materialize(again(), "finetuned_checkpoint", "protected")
    with pytest.raises(GateRefused, match=r"is stale: it was made from finetuned_checkpoint"):
        admit(again(), "model_card", NAME)


def test_changed_bytes_of_what_was_repaired_refuse_the_candidate(again: Again) -> None:
    path = again().store.current("finetuned_checkpoint", "protected").path / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(GateRefused, match=r"changed on disk: model/model.safetensors"):
        admit(again(), "model_card", NAME)


def test_without_the_checkpoint_it_is_refused_and_the_way_leads_over_it(fresh: Workspace) -> None:
    write_recipe(fresh.project.folder, repairs=[MERGE])
    with pytest.raises(GateRefused, match=r"finetuned_checkpoint of protected was never"):
        admit(fresh, "finetuned_checkpoint", NAME)
    steps = steps_to(fresh, "release_decision", NAME)
    assert steps.index(("finetuned_checkpoint", "protected")) < steps.index(("finetuned_checkpoint", NAME))
    assert ("finetuned_checkpoint", "protected") not in steps_to(fresh, "release_decision", "plain")


def test_finishing_with_a_repair_is_repairing_afterwards(again: Again) -> None:
    """`finish` in a recipe of its own gives the weights of the candidate, to the bit."""
    write_recipe(again().project.folder, "finished", **small_project.recipe_settings("protected"), finish=[MERGE])
    materialize(again(), "finetuned_checkpoint", "finished")
    one, other = weights(again(), "finished"), weights(again(), NAME)
    assert all((one[name] == other[name]).all() for name in one)
    shown = again().store.current("finetuned_checkpoint", "finished").json("training")
    assert shown["repairs"][0]["found"] == {"share": 0.5}


def test_a_start_moves_the_base_before_training(again: Again, tmp_path: Path) -> None:
    """The ancestor of the small project is the base itself, so that LoX moves nothing: the weights are the same."""
    start = [{"repair": "lox", "rank": 2, "strength": 1.0}]
    write_recipe(again().project.folder, "begun", **small_project.recipe_settings("protected"), start=start)
    made = materialize(again(), "finetuned_checkpoint", "begun").artefact
    assert "pretrained_model" in made.manifest.inputs
    assert made.json("training")["started_from"][0]["found"]["matrices"] > 0
    one, other = weights(again(), "begun"), weights(again(), "protected")
    assert all((one[name] == other[name]).all() for name in one)


def test_a_repair_that_reads_the_ancestor_is_refused_without_one(fresh: Workspace, again: Again) -> None:
    folder = again().project.folder
    settings = json.loads(json.dumps(small_project.project_settings(Path("model"))))
    del settings["pretrained_model"]
    small_project.write_yaml(folder / "project.yaml", settings)
    for key in ("start", "finish", "repairs"):
        write_recipe(folder, **{key: [{"repair": "lox"}]})
        with pytest.raises(ProjectError, match="has lox, .* pretrained_model"):
            again().project.recipe("protected")
    write_recipe(folder, repairs=[MERGE])
    assert again().project.recipe(NAME).finish[-1].repair == "merge"


def test_swept_merge_and_one_shot_read_the_calibration_probes_alone(again: Again) -> None:
    folder = again().project.folder
    one_shot = {"repair": "one_shot", "steps": 2, "candidates": 2, "learning_rate": 1e-3}
    swept = {"repair": "merge", "shares": [0.25, 0.75], "max_safety_drop": 10.0}
    write_recipe(folder, repairs=[swept, one_shot])
    found = {
        name: materialize(again(), "finetuned_checkpoint", f"protected--{name}").artefact.json("training")["repairs"][0]
        for name in ("merge", "one-shot")
    }
    assert [one["share"] for one in found["merge"]["found"]["swept"]] == [0.25, 0.75]
    assert found["merge"]["found"]["share"] in (0.25, 0.75)
    assert all(one["task_loss"] > 0 for one in found["merge"]["found"]["swept"])
    patched = found["one-shot"]["found"]
    assert len(patched["candidates"]) == 2
    tuned, after = weights(again(), "protected"), weights(again(), "protected--one-shot")
    assert any((tuned[name] != after[name]).any() for name in tuned)


def test_the_next_candidate_is_the_first_that_was_not_tried(again: Again) -> None:
    folder = again().project.folder
    assert next_candidate(again(), "protected") is None  # it was approved
    policy = small_project.policy_settings()
    policy["task"] = {"floor": 1.0, "min_gain": 0.0}
    small_project.write_yaml(folder / "policy.yaml", policy)
    for asset in CHAIN:
        if asset == "release_decision":
            continue
        materialize(again(), asset, partition_of(asset, "protected"))
    materialize(again(), "release_decision", "protected")
    found = next_candidate(again(), "protected")
    assert found is not None
    assert (found.recipe, found.repairs) == (NAME, again().store.current("finetuned_checkpoint", "protected").digest)
    for asset in CHAIN:
        materialize(again(), asset, NAME)
    assert next_candidate(again(), "protected") is None  # rejected too, and nothing is left
