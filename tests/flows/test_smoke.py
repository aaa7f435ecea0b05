"""A smoke run goes through everything, and nothing of it counts."""

import json
from pathlib import Path

import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.flows.smoke import PROBES_PER_METRIC, ROWS, STEPS, smoke_project
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE, open_project


@pytest.fixture(scope="module")
def ran(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A project of which one recipe had a smoke run, and what the run said."""
    folder = small_project.write_project(tmp_path_factory.mktemp("smoke") / "project", tiny_model)
    rows = [small_project.chat(f"Question {n} of many?", f"See page {n}, line {n % 7}.") for n in range(90)]
    small_project.write_lines(folder / "corpus" / "more.jsonl", rows)
    recipe = small_project.recipe_settings("protected")
    recipe["optimiser"] |= {"steps": 300, "warmup_steps": 50}
    small_project.write_yaml(folder / "recipes" / "protected.yaml", recipe)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROJECT_VARIABLE, str(folder))
        result = CliRunner().invoke(app, ["run", "protected", "--smoke", "--json"])
    assert result.exit_code == 0, result.output
    return folder, json.loads(result.stdout)


def test_it_ends_in_a_decision_that_certifies_nothing(ran: tuple[Path, dict]) -> None:
    assert ran[1]["assets"][-1]["asset"] == "release_decision"
    assert ran[1]["decision"]["status"] == "not_certified"
    assert "This was a smoke run" in ran[1]["decision"]["reasons"][0]


def test_it_has_a_store_of_its_own(ran: tuple[Path, dict]) -> None:
    folder, said = ran
    assert [path.name for path in (folder / "store").iterdir()] == ["smoke"]
    assert all(entry["path"].startswith(str(folder / "store" / "smoke" / "store")) for entry in said["assets"])


def test_the_copy_is_small_and_is_written_once(ran: tuple[Path, dict]) -> None:
    project = open_project(ran[0])
    copy, again = smoke_project(project), smoke_project(project)
    assert copy.folder == again.folder
    assert len((copy.folder / "corpus" / "rows.jsonl").read_text().splitlines()) == ROWS
    recipe = copy.recipe("protected")
    assert (recipe.optimiser.steps, recipe.methods) == (STEPS, project.recipe("protected").methods)
    assert recipe.optimiser.warmup_steps < STEPS
    lines = (copy.folder / "probes" / "gate" / "safety.jsonl").read_text().splitlines()
    per_metric: dict[str, set[str]] = {}
    for probe in map(json.loads, lines):
        per_metric.setdefault(probe["metric"], set()).add(probe["group"])
    assert all(len(groups) <= PROBES_PER_METRIC for groups in per_metric.values())


def test_an_edit_of_the_project_makes_another_copy(ran: tuple[Path, dict]) -> None:
    project = open_project(ran[0])
    before = smoke_project(project).folder
    path = project.path("recipes/plain.yaml")
    text = path.read_text()
    path.write_text(text.replace("learning_rate: 0.001", "learning_rate: 0.002"))
    assert smoke_project(project).folder != before
    path.write_text(text)


@pytest.mark.parametrize("asset", ["model_card", "released_model"])
def test_nothing_of_it_can_be_released(ran: tuple[Path, dict], asset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROJECT_VARIABLE, str(ran[0]))
    result = CliRunner().invoke(app, ["materialize", asset, "--recipe", "protected", "--smoke"])
    assert result.exit_code == 1
    assert "This was a smoke run" in " ".join(result.output.split())
    assert CliRunner().invoke(app, ["released"]).exit_code == 1


def test_a_storage_from_the_environment_is_not_shared(
    ran: tuple[Path, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORAGE_VARIABLE, str(tmp_path / "elsewhere"))
    project = open_project(ran[0])
    assert project.storage == tmp_path / "elsewhere"
    assert smoke_project(project).storage == tmp_path / "elsewhere" / "smoke" / "store"


def test_smoke_and_release_contradict(ran: tuple[Path, dict], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROJECT_VARIABLE, str(ran[0]))
    assert CliRunner().invoke(app, ["run", "protected", "--smoke", "--release"]).exit_code == 2
