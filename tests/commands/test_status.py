"""`status` and `explain`: what a person and what a monitor is told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project
import yaml
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.flows.finished import ASSET as FINISHED
from safety_assets.flows.standing import last_runs, served
from safety_assets.flows.workspace import Workspace
from safety_assets.project import PROJECT_VARIABLE, open_project
from safety_assets.release import pointer
from safety_assets.store import Store


@pytest.fixture
def project(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = small_project.write_project(tmp_path / "project", tiny_model)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return folder


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def workspace(folder: Path, run_id: str = "") -> Workspace:
    project = open_project(folder)
    return Workspace(project=project, store=Store(project.storage), launch=lambda order: order, run_id=run_id)


def edit(path: Path, change: Callable[[dict], object]) -> None:
    value = yaml.safe_load(path.read_text())
    change(value)
    small_project.write_yaml(path, value)


def test_an_empty_project_is_well(project: Path) -> None:
    code, said = run("status", "--json")
    found = json.loads(said)
    assert code == 0
    assert found["well"] is True
    assert (found["served"], found["assets"], found["runs"], found["disk"]["used_bytes"]) == (None, [], [], 0)
    assert found["disk"]["free_bytes"] > 0


def test_red_and_stale_are_told_in_words(project: Path) -> None:
    with (project / "corpus" / "rows.jsonl").open("a") as handle:
        handle.write("no JSON\n" * 20)
    run("materialize", "raw_corpus")
    run("materialize", "refusal_pairs")
    with (project / "refusals" / "pairs.jsonl").open("a") as handle:
        handle.write(json.dumps(small_project.pair_rows()[0]) + "\n")
    code, said = run("status", "--json")
    assets = {entry["asset"]: entry for entry in json.loads(said)["assets"]}
    assert code == 0  # nothing is served
    assert [red["check"] for red in assets["raw_corpus"]["red"]] == ["rows_readable"]
    assert "20 of" in assets["raw_corpus"]["red"][0]["reasons"][0]
    assert assets["refusal_pairs"]["red"] == []
    assert "refusal_files changed" in assets["refusal_pairs"]["stale"][0]
    shown = run("status")[1]
    assert "1 red" in shown
    assert "rows_readable failed. 20 of" in shown


def test_runs_are_read_from_the_store(project: Path) -> None:
    from safety_assets.flows.corpus import raw_corpus, refusal_pairs

    for flow in (raw_corpus, refusal_pairs):
        flow(workspace(project, run_id="abc"))
    workspace(project).store.publish(FINISHED, lambda folder: None, inputs={}, code_version="1", current=False)
    (runs,) = last_runs(workspace(project))
    assert runs.run_id == "abc"
    assert set(runs.made) == {"raw_corpus", "refusal_pairs"}


def test_a_served_model_that_is_gone_is_a_problem(project: Path) -> None:
    store = workspace(project).store
    release = {"recipe": "plain", "weights": "0" * 64, "folder": "objects/none", "checkpoint": "1" * 64, "card": "2"}
    pointer.move(store.root, "small", "promote", release, before=None, over=None)
    code, said = run("status", "--json")
    found = json.loads(said)
    assert code == 1
    assert found["well"] is False
    assert found["served"]["recipe"] == "plain"
    assert "never approved" in found["served"]["problems"][0]
    assert served(workspace(project)) is not None


def test_explain_names_every_reason_and_the_next_command(project: Path) -> None:
    code, said = run("explain", "audited_corpus", "--json")
    found = json.loads(said)
    assert code == 1
    assert found["state"] == "refused"
    assert found["reasons"][0] == "audited_corpus was never materialized."
    assert any("injection_ratio was never materialized" in reason for reason in found["reasons"])
    assert found["next"].startswith("safety-assets materialize ")


def test_following_explain_leads_to_green(project: Path) -> None:
    for _ in range(10):
        code, said = run("explain", "corpus_audit", "--json")
        if code == 0:
            break
        assert run(*json.loads(said)["next"].split()[1:])[0] == 0
    assert json.loads(said) == {
        "asset": "corpus_audit", "recipe": None, "state": "green", "reasons": [], "mend": "", "next": "",
    }  # fmt: skip


def test_a_red_check_upstream_is_mended_first(project: Path) -> None:
    edit(project / "policy.yaml", lambda v: v["injection"].update(min_pairs_per_category=50))
    run("materialize", "refusal_pairs")
    code, said = run("explain", "refusal_pairs")
    assert code == 1
    assert "refusal_pairs is red." in said
    assert "First mend: every_category_covered failed." in said
    assert "Next: safety-assets materialize refusal_pairs" in said


@pytest.mark.parametrize("words", [["luck"], ["policy"], ["raw_corpus", "--recipe", "plain"], ["eval_scores"]])
def test_wrong_usage_ends_with_two(project: Path, words: list[str]) -> None:
    assert run("explain", *words)[0] == 2
