"""`repair`: a complete model folder, refusals in words, and that the gate takes what it writes."""

import json
from pathlib import Path

import pytest
import small_checkpoints
import small_project
from safetensors.torch import load_file
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.models.identity import identify
from safety_assets.models.load import load_model
from safety_assets.project import PROJECT_VARIABLE


@pytest.fixture
def project(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = small_project.write_project(tmp_path / "project", tiny_model)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return folder


def repair(*words: str | Path) -> tuple[int, dict]:
    result = CliRunner().invoke(app, ["repair", *map(str, words), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_an_adapter_is_merged_and_repaired(project: Path, tiny_model: Path, tmp_path: Path) -> None:
    tuned, out = small_checkpoints.adapter(tiny_model, tmp_path / "adapter"), tmp_path / "out"
    code, said = repair(
        "--method", "merge", "--base", tiny_model, "--tuned", tuned, "--set", "share=0", "--out", out
    )  # fmt: skip
    assert code == 0, said
    base, last = load_file(tiny_model / "model.safetensors"), load_file(out / "model.safetensors")
    assert all((base[name] == last[name]).all() for name in base)  # a share of 0 is the base
    assert said["digests"]["repaired"] == identify(out).digest
    load_model(out, device="cpu")
    assert list((project / "store" / "work").iterdir()) == []


def test_knobs_are_those_of_a_recipe_and_change_the_result(project: Path, tiny_model: Path, tmp_path: Path) -> None:
    ancestor = small_checkpoints.with_other_weights(tiny_model, tmp_path / "ancestor")
    tuned = small_checkpoints.with_other_weights(tiny_model, tmp_path / "tuned", seed=2)
    folders = ("--base", tiny_model, "--tuned", tuned, "--pretrained", ancestor)
    found = [
        repair("--method", "lox", *folders, "--set", f"rank={rank}", "--out", tmp_path / f"out-{rank}")[1]
        for rank in (1, 3)
    ]
    assert [one["spec"]["rank"] for one in found] == [1, 3]
    assert found[0]["digests"]["repaired"] != found[1]["digests"]["repaired"]
    assert found[0]["found"]["kept_before"] < found[1]["found"]["kept_before"]


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("--method lox", "ModelError", "reads what alignment changed"),
        ("--method merge --set share=2", "UsageError", "less than or equal to 1"),
        ("--method merge --set luck=2", "UsageError", "luck"),
        ("--method merge --set share", "UsageError", "KEY=VALUE"),
        ("--method pray", "UsageError", "pray"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    words: str, kind: str, said: str, project: Path, tiny_model: Path, tmp_path: Path
) -> None:
    code, found = repair(*words.split(), "--base", tiny_model, "--tuned", tiny_model, "--out", tmp_path / "out")
    assert (code, found["error"]["kind"]) == (2 if kind == "UsageError" else 1, kind)
    assert said in found["error"]["found"]
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(project: Path, tiny_model: Path, tmp_path: Path) -> None:
    code, said = repair("--method", "merge", "--base", tiny_model, "--tuned", tiny_model, "--out", tmp_path)
    assert (code, said["error"]["kind"]) == (1, "ProjectError")
    assert "is there already" in said["error"]["found"]
