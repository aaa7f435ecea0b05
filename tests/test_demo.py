"""The demonstration tells a rejection from an error, says what it expected, and reuses what did not change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import small_project

ROOT = Path(__file__).resolve().parent.parent


def run_demo(project: Path, home: Path) -> tuple[int, str]:
    environment = {
        **os.environ, "DAGSTER_HOME": str(home), "SAFETY_ASSETS_PROJECT": str(project), "PYTHONWARNINGS": "ignore",
        "COLUMNS": "120",
    }  # fmt: skip
    command = [sys.executable, "-m", "safety_assets.demo"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_the_demonstration_says_what_happened_and_what_was_expected(tiny_model: Path, tmp_path: Path) -> None:
    project = small_project.write_project(tmp_path / "project", tiny_model)
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    code, said = run_demo(project, tmp_path)
    assert code == 1
    assert "plain: released, expected rejected" in said
    assert "protected: released\n" in said

    settings = small_project.policy_settings()
    settings["task"]["floor"] = 0.99
    small_project.write_yaml(project / "policy.yaml", settings)
    code, said = run_demo(project, tmp_path)
    assert code == 1
    assert "plain: rejected\n" in said
    assert "protected: rejected, expected released" in said
    reused = [line.split()[0] for line in said.splitlines() if line.endswith("reused")]
    assert {"raw_corpus", "injection_ratio", "safety_baseline"} <= set(reused)

    rows = project / "corpus" / "rows.jsonl"
    rows.write_text(rows.read_text() + "no JSON\n" * 20)
    code, said = run_demo(project, tmp_path)
    assert code == 1
    assert "raw_corpus failed" in said
    assert "raw_corpus: rows_readable" in said
