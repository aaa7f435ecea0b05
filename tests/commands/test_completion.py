"""Completion in the shell: assets, recipes and commands, without anything heavy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_project

from safety_assets.project import PROJECT_VARIABLE

HEAVY = ("torch", "transformers", "dagster", "polars", "scipy", "numpy")
PROGRAM = f"""
import atexit, sys
atexit.register(lambda: print("heavy", [n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr))
from safety_assets.cli import app
app()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = small_project.write_project(tmp_path / "project", Path("model"))
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return folder


def offered(*words: str) -> list[str]:
    """What bash is offered for the last word; nothing heavy was imported for it."""
    asked = {
        "_SAFETY_ASSETS_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("safety-assets", *words)),
        "COMP_CWORD": str(len(words)),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert done.stderr == "heavy []\n"
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("re",), ["recheck", "released", "repair", "review"]),
        (("materialize", "raw"), ["raw_corpus"]),
        (("explain", "fine"), ["finetuned_checkpoint"]),
        (("run", "pro"), ["protected"]),
        (("plan", ""), sorted(small_project.RECIPES)),
        (("materialize", "eval_scores", "--recipe", "m"), ["mixed"]),
        (("schema", "po"), ["policy"]),
    ],
)
def test_what_is_offered(words: tuple[str, ...], expected: list[str], project: Path) -> None:
    assert sorted(offered(*words)) == expected


def test_a_project_that_cannot_be_read_offers_nothing(project: Path) -> None:
    (project / "project.yaml").write_text("name: [")
    assert offered("run", "pro") == []
