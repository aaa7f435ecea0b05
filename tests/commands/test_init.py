"""`init`, `new recipe`, `schema`, `workspace`: what they ask, write and refuse."""

import json
from pathlib import Path

import pytest
import small_project
import yaml
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.flows import models
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE, open_project
from safety_assets.schemas import KINDS


@pytest.fixture
def given(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A model, a corpus and tasks, as options."""
    monkeypatch.setattr("safety_assets.commands.terminal.complaints.soft_wrap", True)
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    small_project.write_lines(tmp_path / "rows.jsonl", small_project.corpus_rows())
    small_project.write_lines(tmp_path / "tasks.jsonl", small_project.task_rows())
    corpus, tasks = str(tmp_path / "rows.jsonl"), str(tmp_path / "tasks.jsonl")
    return {"--base-model": str(tiny_model), "--corpus": corpus, "--task-set": tasks, "--risk": "research"}


def run(*words: str, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def options(given: dict[str, str]) -> list[str]:
    return [word for pair in given.items() for word in pair]


def test_options_alone_write_a_project_that_opens(given: dict[str, str], tmp_path: Path) -> None:
    code, said = run("init", str(tmp_path / "My Bank"), *options(given))
    assert code == 0, said
    project = open_project(tmp_path / "My Bank")
    assert project.settings.name == "my-bank"
    assert models.base(project) == Path(given["--base-model"])
    assert "48 rows, 6 tasks" in said
    assert "safety-assets doctor" in said


def test_without_a_terminal_what_is_missing_is_named(given: dict[str, str], tmp_path: Path) -> None:
    del given["--corpus"], given["--risk"]
    code, said = run("init", str(tmp_path / "new"), *options(given))
    assert code == 2
    assert "--corpus, --risk" in said.replace("\n", " ").replace("│", "").replace("  ", " ")
    assert not (tmp_path / "new").exists()


def test_on_a_terminal_a_wrong_answer_is_explained_and_asked_for_again(
    given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safety_assets.commands.init.on_a_terminal", lambda: True)
    corpus, wanted = given.pop("--corpus"), given.pop("--risk")
    typed = "\n".join(["nowhere.jsonl", corpus, "enormous", wanted]) + "\n"
    code, said = run("init", str(tmp_path / "new"), *options(given), typed=typed)
    assert code == 0, said
    assert "nowhere.jsonl does not exist" in said
    assert "risk 'enormous'" in said
    assert open_project(tmp_path / "new").policy().risk == "research"


def test_nothing_is_overwritten(given: dict[str, str], tmp_path: Path) -> None:
    run("init", str(tmp_path / "new"), *options(given))
    before = (tmp_path / "new" / "project.yaml").read_bytes()
    code, said = run("init", str(tmp_path / "new"), *options(given), "--name", "other")
    assert code == 1
    assert "project.yaml exists" in said
    assert (tmp_path / "new" / "project.yaml").read_bytes() == before


@pytest.fixture
def project(given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    run("init", str(tmp_path / "new"), *options(given))
    monkeypatch.setenv(PROJECT_VARIABLE, str(tmp_path / "new"))
    return tmp_path / "new"


def test_a_new_recipe_is_like_the_one_it_began_with(project: Path) -> None:
    assert run("new", "recipe", "mine", "--like", "protected")[0] == 0
    mine, protected = open_project(project).recipe("mine"), open_project(project).recipe("protected")
    assert mine.model_copy(update={"name": "protected"}) == protected
    assert "# rank of each update (whole number from 1, default 16)" in (project / "recipes" / "mine.yaml").read_text()
    assert run("new", "recipe", "simple")[0] == 0
    assert open_project(project).recipe("simple").injection == "none"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plain"], "plain.yaml exists"),
        (["Nightly 7"], "is no recipe name"),
        (["mine", "--like", "luck"], "no recipe luck"),
    ],
)
def test_a_new_recipe_that_cannot_be_is_refused(project: Path, words: list[str], says: str) -> None:
    code, said = run("new", "recipe", *words)
    assert code == 1
    assert says in said
    assert not (project / "recipes" / "mine.yaml").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one_json_document(kind: str) -> None:
    code, said = run("schema", kind)
    assert code == 0
    assert set(json.loads(said)["properties"]) == set(KINDS[kind].model_fields)


def two_projects(given: dict[str, str], tmp_path: Path) -> list[str]:
    folders = [str(tmp_path / "one"), str(tmp_path / "two")]
    for folder in folders:
        assert run("init", folder, *options(given))[0] == 0
    return folders


def test_a_workspace_has_a_location_per_project(given: dict[str, str], tmp_path: Path) -> None:
    folders = two_projects(given, tmp_path)
    (tmp_path / "two" / "definitions.py").unlink()
    code, said = run("workspace", *folders, "--output", str(tmp_path / "ws" / "workspace.yaml"))
    assert code == 0, said
    entries = yaml.safe_load((tmp_path / "ws" / "workspace.yaml").read_text())["load_from"]
    assert [entry["python_file"]["location_name"] for entry in entries] == ["one", "two"]
    for entry in entries:
        assert (tmp_path / "ws" / entry["python_file"]["relative_path"]).is_file()
    assert run("workspace", *folders, "--output", str(tmp_path / "ws" / "workspace.yaml"))[0] == 1


@pytest.mark.parametrize("key", ["name", "asset_prefix", "storage"])
def test_projects_that_share_something_are_refused(given: dict[str, str], tmp_path: Path, key: str) -> None:
    folders = two_projects(given, tmp_path)
    first, second = (Path(folder) / "project.yaml" for folder in folders)
    values = yaml.safe_load(second.read_text())
    values[key] = str(tmp_path / "one" / ".safety_assets/store") if key == "storage" else "one"
    second.write_text(yaml.safe_dump(values))
    code, said = run("workspace", *folders, "--output", str(tmp_path / "workspace.yaml"))
    assert code == 1
    assert f"both have {key}" in said
    assert str(first) in said
    assert not (tmp_path / "workspace.yaml").exists()


def test_one_storage_for_all_is_refused(given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = two_projects(given, tmp_path)
    monkeypatch.setenv(STORAGE_VARIABLE, str(tmp_path / "store"))
    code, said = run("workspace", *folders, "--output", str(tmp_path / "workspace.yaml"))
    assert code == 1
    assert "unset it" in said
