"""`gate`: what it prints and how it ends, for checkpoints from elsewhere."""

import json
import shutil
from pathlib import Path

import lm_eval_runs
import pytest
import small_checkpoints
import small_project
from typer.testing import CliRunner, Result

from safety_assets.cli import app
from safety_assets.policy import DIMENSIONS
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
APPROVED, REJECTED, USAGE, NOT_CERTIFIED = 0, 1, 2, 3


@pytest.fixture(scope="session")
def small(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose store keeps what the tiny models said from test to test."""
    return small_project.write_project(tmp_path_factory.mktemp("gate") / "project", tiny_model)


@pytest.fixture(scope="session")
def other(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_checkpoints.with_other_weights(tiny_model, tmp_path_factory.mktemp("other") / "other")


@pytest.fixture(autouse=True)
def project(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(PROJECT_VARIABLE, str(small))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setattr("safety_assets.commands.terminal.complaints.soft_wrap", True)
    return small


def run(base: Path, tuned: Path, *words: object) -> Result:
    result = CliRunner().invoke(app, ["gate", "--base", str(base), "--tuned", str(tuned), *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def judged(base: Path, tuned: Path, *words: object) -> tuple[int, dict]:
    result = run(base, tuned, "--json", *words)
    return result.exit_code, json.loads(result.stdout)


def test_a_base_against_itself_is_approved(tiny_model: Path) -> None:
    code, said = judged(tiny_model, tiny_model)
    assert (code, said["decision"], said["reasons"]) == (APPROVED, "approved", [])
    assert said["base"] == said["tuned"]
    assert {row["drop"] for row in said["dimensions"].values()} == {0.0}
    assert said["forgotten"] == []


def test_json_holds_every_dimension_and_every_digest(tiny_model: Path, other: Path) -> None:
    _, said = judged(tiny_model, other)
    assert list(said["dimensions"]) == list(DIMENSIONS)
    for row in said["dimensions"].values():
        assert set(row) == {"base", "tuned", "drop", "low", "high", "budget", "verdict"}
        assert row["low"] <= row["drop"] <= row["high"]
        assert row["base"] - row["tuned"] == pytest.approx(row["drop"])
    assert all(len(said[name]) == 64 for name in ("base", "tuned", "policy", "probes"))
    assert said["base"] != said["tuned"]
    assert said["task"] is None
    assert any("no task set was given" in sentence for sentence in said["not_checked"])


def test_a_drop_over_the_budget_is_rejected_and_every_breach_named(
    tiny_model: Path, other: Path, tmp_path: Path
) -> None:
    law = small_checkpoints.policy_file(tmp_path / "policy.yaml", max_drop=0.0)
    code, said = judged(tiny_model, other, "--policy", law)
    assert (code, said["decision"]) == (REJECTED, "rejected")
    breached = {name for name, row in said["dimensions"].items() if row["verdict"] == "fail"}
    assert breached
    assert breached == {name for name, row in said["dimensions"].items() if row["drop"] > 0}
    assert all(any(reason.startswith(f"{name} drops by") for reason in said["reasons"]) for name in breached)
    assert {row["dimension"] for row in said["forgotten"]} >= breached


def test_too_wide_an_interval_is_not_certified(tiny_model: Path, tmp_path: Path) -> None:
    law = small_checkpoints.policy_file(
        tmp_path / "policy.yaml", max_drop=0.1, certify_within=0.1, probes={"flip_rate": 1e-5}
    )
    code, said = judged(tiny_model, tiny_model, "--policy", law)
    assert (code, said["decision"]) == (NOT_CERTIFIED, "not_certified")
    assert all(row["verdict"] == "not_certified" for row in said["dimensions"].values())


def test_too_few_probes_are_not_certified_and_no_model_is_asked(tiny_model: Path, tmp_path: Path) -> None:
    law = small_checkpoints.policy_file(tmp_path / "policy.yaml", probes={"min_gate_probes": 5000})
    code, said = judged(tiny_model, tiny_model, "--policy", law)
    assert code == NOT_CERTIFIED
    assert "fairness has" in said["reasons"][0]
    assert {row["base"] for row in said["dimensions"].values()} == {None}


def test_a_base_under_the_floor_is_not_certified_and_the_checkpoint_is_not_asked(
    tiny_model: Path, other: Path, tmp_path: Path
) -> None:
    law = small_checkpoints.policy_file(tmp_path / "policy.yaml", floor=10.0)
    code, said = judged(tiny_model, other, "--policy", law)
    assert code == NOT_CERTIFIED
    assert any("of the base scores" in reason for reason in said["reasons"])
    assert all(row["base"] is not None for row in said["dimensions"].values())
    assert {row["tuned"] for row in said["dimensions"].values()} == {None}


@pytest.mark.parametrize("side", ["base", "tuned"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "is no folder"),
        ("empty", "holds no weights"),
        ("pickled", "only pickled weights"),
        ("cut", "is damaged"),
        ("nan", "are not finite"),
    ],
)
def test_a_folder_that_is_no_sound_model_is_not_certified(
    tiny_model: Path, tmp_path: Path, kind: str, words: str, side: str
) -> None:
    folder = tmp_path / kind
    match kind:
        case "empty":
            folder.mkdir()
        case "pickled":
            small_checkpoints.pickled(tiny_model, folder)
        case "nan":
            small_checkpoints.not_a_number(tiny_model, folder)
        case "cut":
            shutil.copytree(tiny_model, folder)
            weights = folder / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-100])
    code, said = judged(folder, tiny_model) if side == "base" else judged(tiny_model, folder)
    assert (code, said["decision"]) == (NOT_CERTIFIED, "not_certified")
    assert any(words in reason for reason in said["reasons"])
    assert {row["verdict"] for row in said["dimensions"].values()} == {"not_certified"}


def test_probes_about_another_world_end_it_before_a_model_is_asked(
    tiny_model: Path, small: Path, tmp_path: Path
) -> None:
    probes = shutil.copytree(small / "probes", tmp_path / "probes")
    small_project.write_yaml(probes / "suite.yaml", {"written_for": "somebody else"})
    code, said = judged(tiny_model, tiny_model, "--probes", probes)
    assert code == NOT_CERTIFIED
    assert any("point `probes` at the standard suite" in reason for reason in said["reasons"])
    assert {row["base"] for row in said["dimensions"].values()} == {None}


def test_an_adapter_is_measured_merged(tiny_model: Path, tmp_path: Path) -> None:
    folder = small_checkpoints.adapter(tiny_model, tmp_path / "adapter")
    code, said = judged(tiny_model, folder)
    assert code == APPROVED
    assert said["checkpoint"] == "adapter"
    assert said["tuned"] != said["base"]


def test_an_adapter_of_which_nothing_fits_is_not_certified(tiny_model: Path, tmp_path: Path) -> None:
    """It would be merged as the bare base, whose drop is nothing."""
    from safetensors.numpy import load_file, save_file

    folder = small_checkpoints.adapter(tiny_model, tmp_path / "adapter")
    weights = folder / "adapter_model.safetensors"
    renamed = {name.replace("layers.", "blocks."): tensor for name, tensor in load_file(weights).items()}
    save_file(renamed, weights)
    code, said = judged(tiny_model, folder)
    assert code == NOT_CERTIFIED
    assert any("the adapter in" in reason and "tensors" in reason for reason in said["reasons"])


def test_a_task_set_brings_its_floor(tiny_model: Path, other: Path, small: Path, tmp_path: Path) -> None:
    law = small_checkpoints.policy_file(tmp_path / "policy.yaml", task={"floor": 0.9})
    code, said = judged(tiny_model, other, "--policy", law, "--task", small / "tasks.jsonl")
    assert code == REJECTED
    assert said["task"] == {"base": 0.0, "tuned": 0.0, "gain": 0.0, "floor": 0.9, "min_gain": -1.0, "verdict": "fail"}
    assert judged(tiny_model, other, "--policy", law)[0] == APPROVED


def test_ten_checkpoints_ask_their_base_once(tiny_model: Path, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(tiny_model, other)

    def fail(*arguments: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("safety_assets.flows.asking.open_generator", fail)
    assert judged(tiny_model, other)[0] == APPROVED


def test_a_further_dimension_is_gated_and_missing_is_not_certified(
    tiny_model: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = json.loads(small_checkpoints.policy_file(tmp_path / "policy.yaml").read_text())
    rule = {"rank": "supporting", "max_drop": 1.0, "certify_within": 3.0, "floor": 0.0, "why": "a test"}
    law["probes"]["min_gate_probes"] = 5
    law["further"] = {"mmlu": {"task": "mmlu", "rule": rule}}
    (tmp_path / "policy.yaml").write_text(json.dumps(law))
    words = ("--policy", tmp_path / "policy.yaml")
    code, said = judged(tiny_model, other, *words)
    assert (code, said["checks"]["further_mmlu"]) == (NOT_CERTIFIED, "not_certified")
    assert "mmlu was not measured: mmlu was not run on the base model" in said["reasons"][0]
    for model, right, status in ((tiny_model, 60, None), (other, 60, APPROVED), (other, 45, REJECTED)):
        place = lm_eval_runs.write(tmp_path / f"{model.name}-{right}", right, named=str(model))
        result = CliRunner().invoke(app, ["import", str(place), "--model", str(model), "--json"])
        assert json.loads(result.stdout)["same_files"] is True
        if status is not None:
            code, said = judged(tiny_model, other, *words)
            assert code == status, said["reasons"]
    assert "mmlu drops by 2.50 points" in " ".join(said["reasons"])
    wrong = CliRunner().invoke(app, ["import", str(place), "--model", str(tiny_model), "--json"])
    assert "whose weights are" in json.loads(wrong.stdout)["error"]["found"]


def test_whatever_goes_wrong_is_not_certified(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("out of memory")

    fresh = small_checkpoints.with_other_weights(tiny_model, tmp_path / "fresh", seed=7)
    monkeypatch.setattr("safety_assets.flows.asking.open_generator", fail)
    code, said = judged(tiny_model, fresh)
    assert code == NOT_CERTIFIED
    assert said["reasons"][0] == "RuntimeError: out of memory"


def test_people_see_a_table_the_categories_and_the_decision(tiny_model: Path, other: Path, tmp_path: Path) -> None:
    law = small_checkpoints.policy_file(tmp_path / "policy.yaml", max_drop=0.0)
    result = run(tiny_model, other, "--policy", law, "--report", tmp_path / "report.md")
    assert result.exit_code == REJECTED
    for words in ("user_impact", "forgotten", "Rejected.", "drops by"):
        assert words in result.output
    report = (tmp_path / "report.md").read_text()
    for heading in ("# Release decision: other", "# What other forgot", "# What could not be checked"):
        assert heading in report
    assert "Nearest corpus rows" not in report


def test_another_template_is_made_known(tiny_model: Path, tmp_path: Path) -> None:
    tuned = Path(shutil.copytree(tiny_model, tmp_path / "tuned"))
    template = tuned / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|assistant|>'", "<|assistant|> '"))
    _, said = judged(tiny_model, tuned)
    assert any("chat templates differ" in note for note in said["notes"])


@pytest.mark.parametrize(
    "words",
    [
        ["--policy", "nowhere.yaml"],
        ["--probes", "nowhere"],
        ["--task", "nowhere.jsonl"],
        ["--strictness", "high"],
    ],
)
def test_wrong_usage_ends_with_two(tiny_model: Path, words: list[str]) -> None:
    assert run(tiny_model, tiny_model, *words).exit_code == USAGE


def test_files_that_cannot_be_read_are_wrong_usage(tiny_model: Path, tmp_path: Path) -> None:
    law = tmp_path / "policy.yaml"
    law.write_text("risk: enormous\n")
    assert run(tiny_model, tiny_model, "--policy", law).exit_code == USAGE
    (tmp_path / "probes").mkdir()
    assert run(tiny_model, tiny_model, "--probes", tmp_path / "probes").exit_code == USAGE
    assert CliRunner().invoke(app, ["gate", "--base", str(tiny_model)]).exit_code == USAGE
    assert run(tiny_model, tiny_model, "--report", tmp_path / "absent" / "page.md").exit_code == USAGE
