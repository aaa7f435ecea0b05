"""A small project that was run to its end once, copied for every test."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project

from safety_assets.flows.assets import FLOWS, materialize
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.store import Store
from safety_assets.worker import launch_here

APART = ("recipe_leaderboard", "external_verdict")
SHARED = [name for name in FLOWS if not GRAPH[name].partitioned and name not in APART]
PER_RECIPE = [name for name in FLOWS if GRAPH[name].partitioned]
ORDER = ["base_model", "probe_suite", *(name for name in SHARED if name not in ("base_model", "probe_suite"))]


def open_workspace(folder: Path, **changes: object) -> Workspace:
    project = open_project(folder)
    quiet = {"launch": lambda order: launch_here(order, report=lambda message: None)}
    return Workspace(project=project, store=Store(project.storage), **{**quiet, **changes})


@pytest.fixture(scope="session")
def opened() -> Callable[..., Workspace]:
    """Opens the project in a folder."""
    return open_workspace


@pytest.fixture(scope="session")
def untouched(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that nothing was made of."""
    return small_project.write_project(tmp_path_factory.mktemp("untouched") / "project", tiny_model)


@pytest.fixture(scope="session")
def finished(untouched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same project with everything made, and `protected` released."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(untouched, folder)
    ws = open_workspace(folder)
    for name in ORDER:
        materialize(ws, name)
    for name in PER_RECIPE:
        materialize(ws, name, "protected")
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project that a test may spoil."""
    return shutil.copytree(finished, tmp_path / "project")


@pytest.fixture
def ws(project: Path) -> Workspace:
    return open_workspace(project)


@pytest.fixture
def fresh(untouched: Path, tmp_path: Path) -> Workspace:
    """A workspace in which nothing was made."""
    return open_workspace(shutil.copytree(untouched, tmp_path / "fresh"))


@pytest.fixture
def again(project: Path) -> Callable[..., Workspace]:
    """The project opened anew, as the next run opens it."""
    return lambda **changes: open_workspace(project, **changes)
