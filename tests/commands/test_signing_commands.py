"""`keys`, `sign`, `waive`, `dispose`, `hold`: from a new key to a release that is refused, and let go on."""

import json
import shutil
import stat
from pathlib import Path

import pytest
import small_project
import yaml
from typer.testing import CliRunner, Result

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE, open_project
from safety_assets.release.signed import read_signed

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = small_project.write_project(tmp_path / "project", tiny_model)
    monkeypatch.setenv(PROJECT_VARIABLE, str(made))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setenv("SAFETY_ASSETS_SIGNING_KEY", str(tmp_path / "key.pem"))
    return made


def call(*words: str) -> Result:
    result = CliRunner().invoke(app, [*words])
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    return result


def owned(folder: Path, *roles: str) -> None:
    """A key is made, and the policy names Ada for it."""
    public = json.loads(call("keys", "new", "--json").stdout)["public"]
    law = yaml.safe_load((folder / "policy.yaml").read_text())
    law["people"] = {"Ada": {"roles": list(roles), "key": public}}
    small_project.write_yaml(folder / "policy.yaml", law)


def read(folder: Path):
    project = open_project(folder)
    return read_signed(folder / "signed", "small", project.policy())


def test_a_key_is_for_its_owner_alone_and_outside_the_project(folder: Path, tmp_path: Path) -> None:
    owned(folder, "model_owner")
    path = tmp_path / "key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(call("keys", "show", "--json").stdout)["person"] == {"name": "Ada", "roles": ["model_owner"]}
    again = call("keys", "new")
    assert (again.exit_code, "never overwritten" in again.stderr) == (1, True)
    inside = call("keys", "new", "--key", str(folder / "key.pem"))
    assert (inside.exit_code, "inside the project" in inside.stderr) == (1, True)
    path.chmod(0o644)
    assert "others may read" in call("keys", "show").stderr
    shutil.copyfile(folder / "policy.yaml", path)
    path.chmod(0o600)
    assert "cannot be opened" in call("keys", "show").stderr


def test_a_hold_is_said_signed_and_lifted(folder: Path) -> None:
    owned(folder, "model_owner")
    held = call("hold", "--project", "--reason", "An incident.")
    assert held.exit_code == 0, held.output
    assert "To be signed: Ada as model owner holds back all of project small from release: An incident." in held.stderr
    (act,) = read(folder).acts
    assert "no one hold begins with" in call("hold", "--lift", "0" * 12, "--reason", "x").stderr
    assert call("hold", "--lift", act.act_digest[:12], "--reason", "Mended.").exit_code == 0
    assert read(folder).holds("a" * 64, act.made_at.date()) == ()
    assert read(folder).void == ()


def test_what_a_role_may_not_or_a_rank_forbids_is_never_signed(folder: Path) -> None:
    owned(folder, "ml_engineer")
    for words, says in (
        (("hold", "--project", "--reason", "x"), "may not hold"),
        (("sign", "--policy", "--reason", "x"), "may not sign_policy"),
        (("waive", "safety", "--project", "--until", "2030-01-31", "--reason", "x"), "critical and cannot be waived"),
        (("waive", "fairness", "--project", "--until", "2030-01-31", "--reason", "x"), "may not waive"),
        (("sign", "--weights", "a" * 64, "--until", "2020-01-31", "--reason", "x"), "which is over"),
        (("sign", "--weights", "a", "--reason", "x"), "cannot be signed"),
        (("sign", "--weights", "a" * 64, "--role", "model_owner", "--reason", "x"), "may not"),
        (("sign", "--weights", "a" * 64, "--reason", " "), "cannot be signed"),
    ):
        result = call(*words)
        assert (result.exit_code, says in result.stderr) == (1, True), (words, result.stderr)
    assert not (folder / "signed").exists()
    assert call("sign", "--weights", "a" * 64, "--reason", "Seen.").exit_code == 0
    assert [act.role for act in read(folder).acts] == ["ml_engineer"]


def test_whom_the_policy_does_not_name_signs_nothing(folder: Path) -> None:
    call("keys", "new")
    assert "names nobody for the key" in call("sign", "--weights", "a" * 64, "--reason", "x").stderr
    assert call("sign", "--reason", "x").exit_code == 2
    assert call("hold", "--reason", "x").exit_code == 2


def test_of_several_roles_one_is_named(folder: Path) -> None:
    owned(folder, "safety_engineer", "model_owner")
    words = ("sign", "--weights", "a" * 64, "--reason", "Seen.")
    assert "say in which one, with --role" in call(*words).stderr
    assert call(*words, "--role", "safety_engineer").exit_code == 0
