"""Disk and memory that end: each library says so in its own way, and a person reads one."""

import errno
import json
import threading
from pathlib import Path

import polars as pl
import pytest
import small_project
from safetensors import SafetensorError
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.errors import FileError, TrainingError
from safety_assets.exhaustion import exhaustion
from safety_assets.project import PROJECT_VARIABLE
from safety_assets.worker import carry_out, read_result

FULL = pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device (os error 28)")
"""As polars says it on a full disk; safetensors, below, too."""


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        OSError(errno.ENOSPC, "No space left on device", "a.json"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
    ],
    ids=repr,
)
def test_a_full_disk_is_known_whoever_writes(error: Exception) -> None:
    assert isinstance(exhaustion(error), FileError)


def test_memory_that_ends_is_known() -> None:
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50, dtype=torch.uint8)
    for error in (caught.value, MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")):
        assert isinstance(exhaustion(error), TrainingError), error


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EACCES, "denied"), RuntimeError("shapes differ"), ValueError("allocate memory"), KeyError("x")],
    ids=repr,
)
def test_anything_else_is_not(error: Exception) -> None:
    assert exhaustion(error) is None


@pytest.fixture
def project(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = small_project.write_project(tmp_path / "project", tiny_model)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return folder


def full(*_: object, **__: object) -> None:
    raise FULL


def test_a_command_says_it_and_ends_with_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safety_assets.store.Store.publish", full)
    result = CliRunner().invoke(app, ["materialize", "raw_corpus"])
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr
    assert "Traceback" not in result.output
    result = CliRunner().invoke(app, ["materialize", "raw_corpus", "--json"])
    assert json.loads(result.stdout)["error"]["kind"] == "FileError"


def test_a_step_of_dagster_fails_in_words(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster as dg

    from safety_assets.defs.guard import materialize
    from safety_assets.defs.resources import ProjectResource

    monkeypatch.setattr(ProjectResource, "workspace", lambda self, context: None)
    with dg.build_asset_context() as context:
        step = materialize(context, ProjectResource(), full)
        with pytest.raises(dg.Failure, match="the disk is full") as caught:
            next(step)
    assert caught.value.allow_retries is False


@pytest.mark.parametrize(("error", "kind"), [(FULL, FileError), (MemoryError(), TrainingError)])
def test_a_child_hands_it_to_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    def run_order(*_: object) -> None:
        raise error

    monkeypatch.setattr("safety_assets.worker.run_order", run_order)
    order = {"kind": "train", "result": str(tmp_path / "result.json")}
    code = carry_out(order, lambda message: None, threading.Event())
    with pytest.raises(kind):
        read_result(order, code)


def test_a_child_that_was_killed_is_told_to_be_launched_again(tmp_path: Path) -> None:
    order = {"kind": "train", "result": str(tmp_path / "result.json")}
    with pytest.raises(TrainingError, match=r"was killed \(signal 9\).*goes on from its last save"):
        read_result(order, -9)
    with pytest.raises(TrainingError, match=r"ended with code 1.*compute logs"):
        read_result(order, 1)
