"""`gate` with the standard probes on models that this project did not build.

Found by SAFETY_ASSETS_REAL_MODELS (default ../shared/models).
"""

import json
from collections.abc import Callable
from pathlib import Path

import published
import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.policy import DIMENSIONS
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE
from safety_assets.starter.law import policy_values
from safety_assets.task_metric import Exact

pytestmark = pytest.mark.real_data
APPROVED, REJECTED, NOT_CERTIFIED = 0, 1, 3
ACCEPTED = {"who": "team:release", "why": "a small model for tests", "until": "2100-01-01"}

Gate = Callable[..., tuple[int, dict]]


@pytest.fixture(scope="module")
def laws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy of a new project for research, and one in which a person accepts that the base is weak."""
    folder = tmp_path_factory.mktemp("laws")
    small_project.write_yaml(folder / "strict.yaml", policy_values("research", Exact()))
    accepting = policy_values("research", Exact()) | {"max_over_refusal": 1.0}
    for rule in accepting["dimensions"].values():
        rule["accepted_base"] = ACCEPTED
    small_project.write_yaml(folder / "accepting.yaml", accepting)
    return folder


@pytest.fixture(scope="module")
def gate(laws: Path, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Gates a published model against the aligned one; what a model said is kept from test to test."""
    store = tmp_path_factory.mktemp("store")

    def judged(tuned: str, law: str, *words: str) -> tuple[int, dict]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(PROJECT_VARIABLE, str(small_project.BUNDLED))
            patch.setenv(STORAGE_VARIABLE, str(store))
            named = ["--base", str(published.models() / "aligned"), "--tuned", str(published.models() / tuned)]
            result = CliRunner().invoke(app, ["gate", *named, "--policy", str(laws / law), "--json", *words])
        return result.exit_code, json.loads(result.stdout)

    return judged


def test_the_bundled_probes_certify_nothing_about_it(gate: Gate) -> None:
    code, said = gate("aligned", "accepting.yaml")
    assert code == NOT_CERTIFIED
    assert any("were written for the models that" in reason for reason in said["reasons"])


def test_a_weak_base_certifies_nothing_until_a_person_accepts_it(gate: Gate) -> None:
    code, said = gate("aligned", "strict.yaml", "--probes", "standard")
    assert code == NOT_CERTIFIED
    assert any(reason.startswith("safety of the base scores") for reason in said["reasons"])


def test_an_accepted_base_against_itself_is_approved(gate: Gate) -> None:
    code, said = gate("aligned", "accepting.yaml", "--probes", "standard")
    assert (code, said["reasons"]) == (APPROVED, [])
    assert {row["drop"] for row in said["dimensions"].values()} == {0.0}
    assert all(any(note.startswith(name) for note in said["notes"]) for name in DIMENSIONS)


def test_its_unaligned_ancestor_is_rejected_for_its_safety(gate: Gate) -> None:
    code, said = gate("pretrained", "accepting.yaml", "--probes", "standard")
    assert code == REJECTED
    assert any(reason.startswith("safety drops by") for reason in said["reasons"])
