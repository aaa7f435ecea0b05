"""`doctor`: each thing that will not work is named with its remedy."""

import json
from pathlib import Path

import pytest
import small_project
import yaml
from packaging.requirements import Requirement
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.flows import doctor
from safety_assets.project import PROJECT_VARIABLE, open_project


@pytest.fixture
def project(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = small_project.write_project(tmp_path / "project", tiny_model)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return folder


def examined(folder: Path) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine(open_project(folder))}


def test_a_sound_project_is_well(project: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    found = json.loads(result.stdout)
    assert (result.exit_code, found["well"]) == (0, True)
    assert {f["name"] for f in found["findings"] if f["state"] == "warn"} <= {"dagster", "safety_assets"}
    assert all(f["remedy"] for f in found["findings"] if f["state"] != "ok")


def test_everything_that_is_broken_is_found_in_one_go(project: Path, tiny_model: Path) -> None:
    (project / "tasks.jsonl").write_text("{}\n")
    (project / "policy.yaml").write_text("risk: enormous\n")
    (project / "recipes" / "plain.yaml").write_text("description: x\n")
    settings = yaml.safe_load((project / "project.yaml").read_text())
    small_project.write_yaml(project / "project.yaml", {**settings, "base_model": "nowhere", "threads": 10_000})
    found = examined(project)
    for name in ("tasks", "policy", "recipes", "model"):
        assert found[name].state == "fail", name
        assert found[name].remedy, name
    assert found["threads"].state == "warn"
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "tasks.jsonl:1" in result.stdout


def test_what_the_first_checks_would_refuse_is_found_before_anything_is_made(project: Path) -> None:
    policy = small_project.policy_settings()
    policy["injection"]["categories"].append("arson")
    policy["probes"]["min_gate_probes"] = 5000
    small_project.write_yaml(project / "policy.yaml", policy)
    (project / "probes" / "suite.yaml").write_text("written_for: somebody else\n")
    found = examined(project)
    assert found["refusal pairs"].state == "fail"
    assert "Category arson has 0 refusal pairs" in found["refusal pairs"].said
    assert "enough_probes_to_see_the_budget will fail: fairness has" in found["probes"].said
    policy["probes"]["min_gate_probes"] = 1
    small_project.write_yaml(project / "policy.yaml", policy)
    assert "written_for_these_models will fail" in examined(project)["probes"].said


def test_a_template_that_does_not_render_is_found(project: Path, tiny_model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in tiny_model.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "chat_template.jinja").write_text("{% for m in messages %}{{ m.role }}")
    settings = yaml.safe_load((project / "project.yaml").read_text())
    small_project.write_yaml(project / "project.yaml", {**settings, "base_model": str(broken)})
    found = doctor.model(open_project(project))
    assert found.state == "fail"
    assert "cannot be rendered" in found.said


def test_versions_are_compared_with_what_is_needed() -> None:
    assert doctor.package(Requirement("polars>=1")).state == "ok"
    old = doctor.package(Requirement("polars>=99"))
    assert (old.state, old.remedy) == ("fail", "pip install 'polars>=99'")
    assert doctor.package(Requirement("no-such-package-here")).state == "fail"


def test_a_dagster_home_without_daemon_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert "no dagster.yaml" in doctor.history().said
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    found = doctor.history()
    assert found.state == "warn"
    assert "not running" in found.said
    assert "dagster dev" in found.remedy


def test_little_disk_and_memory_are_found(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 10

    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: Usage)
    monkeypatch.setattr(doctor.os, "sysconf", lambda name: 100)
    disk, memory = doctor.room(open_project(project))
    assert (disk.state, memory.state) == ("fail", "fail")
