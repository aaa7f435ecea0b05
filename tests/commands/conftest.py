"""A small project that was run to its release once, for every test that needs one."""

from pathlib import Path

import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE
from safety_assets.release.keys import new_key


@pytest.fixture(scope="session")
def released_project(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its recipe `plain` was decided upon and released. A test that spoils it takes a copy.

    The key of Ada, its model owner, lies beside it.
    """
    folder = small_project.write_project(tmp_path_factory.mktemp("released") / "project", tiny_model)
    public = new_key(folder.parent / "signing.pem", None)
    people = {"Ada": {"roles": ["model_owner"], "key": public}}
    small_project.write_yaml(folder / "policy.yaml", {**small_project.policy_settings(), "people": people})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROJECT_VARIABLE, str(folder))
        patch.delenv(STORAGE_VARIABLE, raising=False)
        result = CliRunner().invoke(app, ["run", "plain", "--release"])
    assert result.exit_code == 0, result.output
    return folder
