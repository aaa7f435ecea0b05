"""`run` and `plan`: from nothing to the decision, and what that will cost."""

import json
from pathlib import Path
from subprocess import Popen

import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.errors import SafetyAssetsError, TrainingError
from safety_assets.project import PROJECT_VARIABLE
from safety_assets.worker import launch_apart


def call(project: Path, *words: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROJECT_VARIABLE, str(project))
        result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


@pytest.fixture(scope="module")
def project(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project.write_project(tmp_path_factory.mktemp("run") / "project", tiny_model)


@pytest.fixture(scope="module")
def ran(project: Path) -> tuple[int, dict]:
    code, said = call(project, "run", "plain", "--json")
    return code, json.loads(said)


def test_a_run_ends_with_the_decision_and_its_exit_code(ran: tuple[int, dict]) -> None:
    code, said = ran
    assert said["decision"]["status"] == "approved", said["decision"]["reasons"]
    assert code == 0
    assert said["stopped"] is None


def test_nothing_is_released_unasked(ran: tuple[int, dict], project: Path) -> None:
    assert call(project, "released")[0] == 1
    code, said = call(project, "run", "plain", "--release", "--json")
    assert code == 0
    assert [entry["asset"] for entry in json.loads(said)["assets"]][-2:] == ["model_card", "released_model"]
    assert all(
        e["cached"]
        for e in json.loads(said)["assets"]
        if e["asset"] not in ("release_decision", "model_card", "released_model")
    )
    assert call(project, "released", "--path")[0] == 0


def test_a_red_check_stops_it_and_is_named(tiny_model: Path, tmp_path: Path) -> None:
    project = small_project.write_project(tmp_path / "red", tiny_model)
    policy = small_project.policy_settings()
    policy["injection"]["categories"].append("arson")
    small_project.write_yaml(project / "policy.yaml", policy)
    code, said = call(project, "run", "plain", "--json")
    assert code == 1
    found = json.loads(said)
    assert found["stopped"] == {"asset": "refusal_pairs", "checks": ["every_category_covered"]}
    assert found["decision"] is None
    code, said = call(project, "run", "plain")
    assert "Category arson has 0 refusal pairs" in said


@pytest.mark.long
def test_a_rejection_ends_with_one(tiny_model: Path, tmp_path: Path) -> None:
    project = small_project.write_project(tmp_path / "rejected", tiny_model)
    policy = small_project.policy_settings()
    policy["task"] = {"floor": 1.0, "min_gain": 0.0}
    small_project.write_yaml(project / "policy.yaml", policy)
    code, said = call(project, "run", "plain", "--json")
    assert (code, json.loads(said)["decision"]["status"]) == (1, "rejected")


@pytest.mark.long
def test_a_rejected_recipe_is_repaired_until_one_candidate_is_approved(tiny_model: Path, tmp_path: Path) -> None:
    """Merging all the way back to the base loses nothing; a repair that leaves the weights alone is rejected again."""
    project = small_project.write_project(tmp_path / "repaired", tiny_model)
    policy = small_project.policy_settings()
    for rule in policy["dimensions"].values():
        rule["max_drop"] = 1e-6
    small_project.write_yaml(project / "policy.yaml", policy)
    optimiser = {"learning_rate": 0.1, "steps": 8, "batch_rows": 4}
    nothing, everything = {"repair": "lox", "strength": 0.0}, {"repair": "merge", "share": 0.0}
    repairs = [nothing, everything, {"repair": "one_shot"}]
    settings = small_project.recipe_settings("plain") | {"optimiser": optimiser, "repairs": repairs}
    small_project.write_yaml(project / "recipes" / "plain.yaml", settings)
    code, said = call(project, "run", "plain", "--release", "--json")
    found = json.loads(said)
    assert [(one["recipe"], one["status"]) for one in found["candidates"]] == [
        ("plain", "rejected"), ("plain--lox", "rejected"), ("plain--merge", "approved"),
    ]  # fmt: skip
    assert (code, found["concluded"], found["decision"]["status"]) == (0, "plain--merge", "approved")
    assert json.loads(call(project, "released", "--json")[1])["recipe"] == "plain--merge"
    code, said = call(project, "run", "plain")
    assert code == 0
    assert "tried plain--lox: rejected" in said
    assert "approved plain--merge" in said


def test_an_unknown_recipe_is_named_before_anything_is_made(tiny_model: Path, tmp_path: Path) -> None:
    project = small_project.write_project(tmp_path / "unknown", tiny_model)
    assert call(project, "run", "luck")[0] == 1
    assert not (project / "store").exists()


def num_judged(project: Path) -> int:
    """Gate probes whose answers may decline."""
    rows = [json.loads(line) for path in project.glob("probes/gate/*.jsonl") for line in path.read_text().splitlines()]
    return sum(row["expect"] in ("refuse", "comply") for row in rows)


@pytest.mark.long
def test_a_plan_measures_and_touches_no_store(project: Path, tiny_model: Path, tmp_path: Path) -> None:
    fresh = small_project.write_project(tmp_path / "planned", tiny_model)
    judges = {"second": "rail", "rail": {"safety": 7, "privacy": 7, "user_impact": 5, "max_credits": 50}}
    small_project.write_yaml(fresh / "policy.yaml", small_project.policy_settings() | {"judges": judges})
    settings = small_project.project_settings(tiny_model) | {"rail": {"per_minute": 60}}
    small_project.write_yaml(fresh / "project.yaml", settings)
    code, said = call(fresh, "plan", "protected", "--json")
    found = json.loads(said)
    assert code == 0
    assert found["fits"]
    assert set(found) == {
        "recipe", "fits", "reason", "advice", "certain_bytes", "peak_bytes", "disk_bytes", "free_disk_bytes", "parts",
        "measured", "notes", "seconds",
    }  # fmt: skip
    assert {part["asset"] for part in found["parts"]} == {
        "baseline_responses", "injection_ratio", "finetuned_checkpoint", "candidate_responses", "eval_scores",
    }  # fmt: skip
    (second,) = [part for part in found["parts"] if part["asset"] == "eval_scores"]
    asked = 2 * num_judged(fresh)
    assert second["seconds"] == 60 * -(-asked // 60)
    assert f"up to {asked} answers" in second["why"]
    assert f"{0.2 * asked:.1f} credits, 60 a minute" in second["why"]
    assert any("the policy allows 50 credits, so that nothing would be sent" in note for note in found["notes"])
    assert all(part["seconds"] > 0 for part in found["parts"])
    assert found["seconds"] == pytest.approx(sum(part["seconds"] for part in found["parts"]))
    assert set(found["measured"]) == {"protected", "sweep"}
    assert found["certain_bytes"] < found["peak_bytes"]
    assert not (fresh / "store").exists()


@pytest.mark.long
def test_what_cannot_fit_ends_with_one_and_says_what_to_do(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safety_assets.flows import planning

    monkeypatch.setattr(planning, "disk", lambda shape, recipe: 1 << 60)
    code, said = call(project, "plan", "plain")
    assert code == 1
    assert "does not fit: " in said
    assert "of disk are needed" in " ".join(said.split())


def test_a_child_that_is_refused_is_a_plan_that_does_not_fit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(order: dict, report: object) -> dict:
        raise TrainingError("recipe plain takes 99 GB", expected="at most the 1 GB that are free", do="add lora")

    monkeypatch.setattr("safety_assets.worker.launch_apart", refuse)
    code, said = call(project, "plan", "plain", "--json")
    found = json.loads(said)
    assert (code, found["fits"], found["advice"]) == (1, False, "add lora")
    assert found["reason"] == "recipe plain takes 99 GB; at most the 1 GB that are free"


def order(folder: Path) -> dict:
    return {"kind": "dance", "work": str(folder), "result": str(folder / "result.json")}


def test_a_child_that_refuses_is_heard_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="order of kind dance"):
        launch_apart(order(tmp_path))


@pytest.mark.long
def test_a_child_that_breaks_down_is_no_question_of_size(tmp_path: Path) -> None:
    with pytest.raises(SafetyAssetsError, match="ended with code 1; it said last: KeyError: 'probes'") as error:
        launch_apart(order(tmp_path) | {"kind": "measure"})
    assert not isinstance(error.value, TrainingError)


def test_a_child_that_is_killed_is_told_to_have_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kill").write_text("kill -9 $$")
    monkeypatch.setattr("safety_assets.worker.subprocess.Popen", lambda command, **how: Popen(
        ["/bin/sh", str(tmp_path / "kill")], **how))  # fmt: skip
    with pytest.raises(TrainingError, match="ended with code -9.*free memory"):
        launch_apart(order(tmp_path))


def test_what_a_library_prints_in_a_child_goes_to_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"made": 1}))
    lines = ["Loading weights: 100%", "[1]", '{"state": "started"}']
    (tmp_path / "chat").write_text("".join(f"echo '{line}'\n" for line in lines) + "echo broken >&2\n")
    monkeypatch.setattr("safety_assets.worker.subprocess.Popen", lambda command, **how: Popen(
        ["/bin/sh", str(tmp_path / "chat")], **how))  # fmt: skip
    heard: list[dict] = []
    launch_apart(order(tmp_path), heard.append)
    assert heard == [{"state": "started"}]
    assert sorted((tmp_path / "child.log").read_text().splitlines()) == ["Loading weights: 100%", "[1]", "broken"]
