"""The real definitions over a small project of its own for every test, with an instance that forgets."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import small_project
from run_results import Materialize

from safety_assets.project import PROJECT_VARIABLE

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="session")
def small(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that nothing was made of."""
    return small_project.write_project(tmp_path_factory.mktemp("small") / "project", tiny_model)


@pytest.fixture
def project(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that this test may spoil, and that the definitions read."""
    folder = Path(shutil.copytree(small, tmp_path / "project"))
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return folder


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def run(project: Path, instance: dg.DagsterInstance) -> Materialize:
    """Materialize some assets in one run, as a launch from the user interface does."""
    from safety_assets.definitions import defs

    def materialize(
        *names: str, recipe: str | None = None, without_checks: bool = False, **options: object
    ) -> dg.ExecuteInProcessResult:
        chosen = dg.AssetSelection.assets(*names)
        selection = chosen.without_checks() if without_checks else chosen
        job = dg.define_asset_job("chosen", selection=selection)
        definitions = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
        return definitions.resolve_job_def("chosen").execute_in_process(
            instance=instance, partition_key=recipe, run_config=QUIET, raise_on_error=False, **options
        )

    return materialize
