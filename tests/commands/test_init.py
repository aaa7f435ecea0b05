"""`init`, `new recipe`, `schema`, `workspace`: what they ask, write and refuse."""

import json
from pathlib import Path

import pytest
import small_checkpoints
import small_project
import yaml
from huggingface_hub import constants
from small_hub import NAME, TOKEN, serving
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.datafiles import AnswerRule
from safety_assets.errors import ProjectError
from safety_assets.flows import models
from safety_assets.project import BUNDLED, PROJECT_VARIABLE, STORAGE_VARIABLE, AdaptedModel, open_project
from safety_assets.recipes import Recipe
from safety_assets.schemas import KINDS
from safety_assets.task_metric import Numeric


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
    for command in ("safety-assets doctor", "safety-assets plan protected", "safety-assets run plain --smoke"):
        assert command in said


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


def test_yes_asks_nothing_on_a_terminal(given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safety_assets.commands.init.on_a_terminal", lambda: True)
    del given["--task-set"]
    assert run("init", str(tmp_path / "new"), *options(given), "--yes")[0] == 0
    assert open_project(tmp_path / "new").settings.task_set is None
    del given["--risk"]
    code, said = run("init", str(tmp_path / "other"), *options(given), "--yes")
    assert code == 2
    assert "--risk" in said


def test_an_empty_answer_holds_rows_out(given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safety_assets.commands.init.on_a_terminal", lambda: True)
    tasks = given.pop("--task-set")
    assert run("init", str(tmp_path / "held"), *options(given), typed="\n")[0] == 0
    assert open_project(tmp_path / "held").settings.task_set is None
    assert run("init", str(tmp_path / "named"), *options(given), typed=f"nowhere\n{tasks}\n")[0] == 0
    assert open_project(tmp_path / "named").task_set.path == Path(tasks)


def test_without_a_task_set_rows_are_held_out_and_too_few_are_named(given: dict[str, str], tmp_path: Path) -> None:
    del given["--task-set"]
    code, said = run("init", str(tmp_path / "new"), *options(given))
    assert code == 0, said
    assert "tasks held out of them" in said
    assert "marked by response_loss, since the answers are longer texts" in said
    assert "About 2 rows will be held out" in said
    policy = open_project(tmp_path / "new").policy()
    assert (policy.task.floor, policy.task.min_gain) == (0, 0.02)


def test_sums_with_their_answer_after_a_mark_need_no_editing(given: dict[str, str], tmp_path: Path) -> None:
    sums = [{"question": f"What is {n} plus {n}?", "answer": f"{n} + {n} = {2 * n}\n#### {2 * n}"} for n in range(9)]
    small_project.write_lines(tmp_path / "sums.jsonl", sums)
    given["--task-set"] = str(tmp_path / "sums.jsonl")
    for folder, more in (("found", []), ("asked", ["--task-answer", "####", "--task-metric", "numeric"])):
        code, said = run("init", str(tmp_path / folder), *options(given), *more)
        assert code == 0, said
        settings = open_project(tmp_path / folder).settings
        assert settings.task_answer == AnswerRule(after="####")
        assert settings.task_metric == Numeric()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--task-metric", "numeric", "--task-answer", "{pattern: 'p(age)'}"], "numeric does not mark 6 of 6"),
        (["--task-metric", "luck"], "--task-metric luck"),
        (["--task-answer", "####"], "the answer holds no text after '####'"),
        (["--refusal-pairs", "nowhere"], "nowhere"),
        (["--probes", "nowhere"], "nowhere holds no probes"),
        (["--chat-template", "nowhere.jinja"], "nowhere.jinja cannot be read"),
        (["--adapter", "nowhere"], "nowhere is no folder"),
        (["--name", "A!"], "'A!' is no project name"),
    ],
)
def test_an_answer_that_is_wrong_is_named_and_nothing_is_written(
    given: dict[str, str], tmp_path: Path, words: list[str], says: str
) -> None:
    code, said = run("init", str(tmp_path / "new"), *options(given), *words)
    assert code == 1
    assert says in said
    assert not (tmp_path / "new").exists()


def test_pairs_and_probes_that_the_policy_finds_too_few_are_named_at_once(
    given: dict[str, str], tmp_path: Path
) -> None:
    small_project.write_lines(tmp_path / "pairs.jsonl", small_project.pair_rows())
    small_project.write_lines(tmp_path / "probes" / "safety.jsonl", small_project.probe_rows("gate", "safety", set()))
    named = ["--refusal-pairs", str(tmp_path / "pairs.jsonl"), "--probes", str(tmp_path / "probes")]
    code, said = run("init", str(tmp_path / "new"), *options(given), *named)
    assert code == 0
    assert "Category cyber has 0 refusal pairs" in said
    assert "privacy has 0 gate probes" in said
    assert "write refusal pairs" not in said


def test_a_model_of_the_hub_that_cannot_be_read_now_is_written_and_said(
    given: dict[str, str], tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tiny_model, tmp_path / "cache", monkeypatch), monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        given["--base-model"] = NAME
        code, said = run("init", str(tmp_path / "new"), *options(given), "--json")
    assert code == 0
    document = json.loads(said[said.index("{") :])
    assert document["facts"]["model"]["later"] == document["warnings"][0]
    assert document["facts"]["recipes"]["adapters"] is True
    assert open_project(tmp_path / "new").settings.base_model == NAME
    written = "".join(path.read_text() for path in (tmp_path / "new").rglob("*") if path.is_file())
    assert TOKEN not in said + written


def test_a_base_with_an_adapter(given: dict[str, str], tmp_path: Path, tiny_model: Path) -> None:
    del given["--base-model"]
    given["--adapter"] = str(small_checkpoints.adapter(tiny_model, tmp_path / "adapter"))
    code, said = run("init", str(tmp_path / "new"), *options(given))
    assert code == 0, said
    named = open_project(tmp_path / "new").settings.base_model
    assert named == AdaptedModel(base=str(tiny_model), adapter=given["--adapter"])


def test_json_names_files_facts_and_next_commands(given: dict[str, str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["init", str(tmp_path / "new"), *options(given), "--json"])
    document = json.loads(result.stdout)
    assert {Path(name) for name in document["files"]} == {p for p in (tmp_path / "new").rglob("*") if p.is_file()}
    assert document["facts"]["corpus"] == {"rows": 48, "unreadable": 0}
    assert document["facts"]["tasks"]["metric"] == {"metric": "contains"}
    assert document["warnings"] == []
    assert document["next"][0] == f"cd {tmp_path / 'new'}"
    assert "safety-assets run plain --smoke" in document["next"]


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


def test_a_new_recipe_as_json(project: Path) -> None:
    code, said = run("new", "recipe", "mine", "--like", "mixed", "--json")
    document = json.loads(said)
    assert code == 0
    assert document["files"] == [str(project / "recipes" / "mine.yaml")]
    assert document["facts"]["like"] == "mixed"
    assert Recipe.model_validate(document["facts"]["values"]) == open_project(project).recipe("mine")
    assert document["next"][0] == "safety-assets plan mine"


def test_the_project_is_where_the_user_stands(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROJECT_VARIABLE)
    monkeypatch.chdir(project)
    assert open_project().folder == project
    monkeypatch.chdir(tmp_path)
    assert open_project().folder == BUNDLED
    monkeypatch.setattr("safety_assets.project.BUNDLED", tmp_path / "site-packages" / "data")
    with pytest.raises(ProjectError, match="holds no project.yaml.*go to the folder of a project"):
        open_project()


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
