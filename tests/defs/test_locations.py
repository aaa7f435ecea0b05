"""Several projects in one workspace: each a code location with keys of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_project import write_project, write_yaml

from safety_assets.commands.workspace import workspace_text
from safety_assets.errors import ProjectError
from safety_assets.locations import load_project
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE, open_project
from safety_assets.starter.places import DEFINITIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path, tiny_model: Path) -> Path:
    """A workspace of two small projects; the second has fewer recipes."""
    recipes = {"one": ("mixed", "plain"), "two": ("mixed",)}
    for name, chosen in recipes.items():
        folder = write_project(tmp_path / name, tiny_model, recipes=chosen)
        settings = yaml.safe_load((folder / "project.yaml").read_text())
        write_yaml(folder / "project.yaml", {**settings, "name": name, "asset_prefix": name})
        (folder / "definitions.py").write_text(DEFINITIONS)
    file = tmp_path / "workspace.yaml"
    file.write_text(workspace_text([open_project(tmp_path / name) for name in recipes], file))
    return file


def dagster(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    kept = {k: v for k, v in os.environ.items() if k not in (PROJECT_VARIABLE, STORAGE_VARIABLE)}
    environment = {**kept, "DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT), "DAGSTER_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "dagster", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)


@pytest.mark.long
def test_two_projects_validate_as_one_workspace(workspace: Path, tmp_path: Path) -> None:
    done = dagster("definitions", "validate", "-w", str(workspace), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stderr + done.stdout


@pytest.mark.long
def test_a_location_has_its_own_keys_and_recipes(workspace: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from safety_assets.locations import load_project; "
        "graph = load_project(sys.argv[1]).resolve_asset_graph(); "
        "keys = sorted(k.to_user_string() for k in graph.get_all_asset_keys()); "
        "print(keys[0].split('/')[0], len(keys), graph.get(next(k for k in graph.get_all_asset_keys() "
        "if k.path[-1] == 'eval_scores')).partitions_def.get_partition_keys())"
    )
    said = []
    for name in ("one", "two"):
        command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / name / "definitions.py")]
        said.append(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split(" ", 2))
    assert [words[0] for words in said] == ["one", "two"]
    assert said[0][1] == said[1][1]
    assert [words[2].strip() for words in said] == ["['mixed', 'plain']", "['mixed']"]


def test_a_process_has_one_project(workspace: Path, tmp_path: Path, project: Path) -> None:
    from safety_assets.defs.spec import PROJECT

    assert PROJECT.folder != tmp_path / "one"
    with pytest.raises(ProjectError, match="one project per process"):
        load_project(str(tmp_path / "one" / "definitions.py"))
