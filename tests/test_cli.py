"""The command line: what it prints and how it ends."""

from pathlib import Path

import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE


@pytest.fixture
def project(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = small_project.write_project(tmp_path / "project", tiny_model)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.setattr("safety_assets.commands.terminal.complaints.soft_wrap", True)
    return folder


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_an_asset_is_made_once_and_then_reused(project: Path) -> None:
    code, said = run("materialize", "raw_corpus")
    assert code == 0
    assert said.startswith("raw_corpus made: ")
    assert "pass rows_readable" in said
    assert run("materialize", "raw_corpus")[1].startswith("raw_corpus reused: ")


def test_a_red_check_ends_with_one(project: Path) -> None:
    with (project / "corpus" / "rows.jsonl").open("a") as handle:
        handle.write("no JSON\n" * 20)
    code, said = run("materialize", "raw_corpus")
    assert code == 1
    assert "fail rows_readable 20 of" in said


def test_a_refusal_lists_its_reasons_without_a_traceback(project: Path) -> None:
    code, said = run("materialize", "released_model", "--recipe", "plain")
    assert code == 1
    assert "released_model was refused" in said
    assert "1. release_decision of plain was never materialized" in said
    assert "Traceback" not in said


def test_wrong_usage_ends_with_two(project: Path) -> None:
    for words in (
        ["materialize", "luck"],
        ["materialize", "raw_corpus", "--recipe", "plain"],
        ["materialize", "policy2"],
        ["materialize", "external_verdict"],
    ):
        assert run(*words)[0] == 2
    assert run("materialize", "release_decision")[0] == 2


def test_an_unknown_recipe_names_those_there_are(project: Path) -> None:
    code, said = run("materialize", "finetuned_checkpoint", "--recipe", "luck")
    assert code == 1
    assert "no recipe luck" in said


def test_a_broken_policy_is_named_with_its_line(project: Path) -> None:
    (project / "policy.yaml").write_text("risk: enormous\n")
    code, said = run("materialize", "raw_corpus")
    assert code == 1
    assert "policy.yaml:1" in said


def test_nothing_released_ends_with_one(project: Path) -> None:
    code, said = run("released", "--path")
    assert code == 1
    assert "nothing is released" in said


def test_status_shows_what_is_there(project: Path) -> None:
    run("materialize", "raw_corpus")
    code, said = run("status")
    assert code == 0
    assert "raw_corpus" in said
    assert "Released: nothing" in said
