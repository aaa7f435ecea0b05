"""A command that is told to stop: it saves, says that it resumes, and ends with 130; its bar stays on stderr."""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE

ENDLESS = 30_000
"""Steps that no test waits for."""
PATIENCE = 120.0
"""Seconds until a child that says nothing is given up."""


@pytest.fixture
def project(released_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything upstream of training is made, and training would take for ever."""
    folder = Path(shutil.copytree(released_project, tmp_path / "project"))
    settings = small_project.recipe_settings("plain")
    settings["optimiser"]["steps"] = ENDLESS
    settings["monitor"] = {"every": ENDLESS}
    small_project.write_yaml(folder / "recipes" / "plain.yaml", settings)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    return folder


class Watched:
    """A command whose stderr is a terminal, and what it said there so far."""

    def __init__(self, *words: str) -> None:
        self.said, (own, its) = "", pty.openpty()
        surroundings = {**os.environ, "TERM": "xterm-256color", "PYTHONWARNINGS": "ignore", "COLUMNS": "120"}
        self.child = subprocess.Popen(
            [sys.executable, "-m", "safety_assets.cli", *words], stdout=subprocess.PIPE, stderr=its, env=surroundings
        )
        os.close(its)
        self._reader = threading.Thread(target=self._read, args=(own,), daemon=True)
        self._reader.start()

    def _read(self, own: int) -> None:
        with contextlib.suppress(OSError):  # the other side was closed
            while data := os.read(own, 4096):
                self.said += data.decode(errors="replace")
        os.close(own)

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + PATIENCE
        while text not in self.said:
            assert self.child.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.05)

    def end(self) -> tuple[int, str]:
        """Exit code and stdout."""
        out, _ = self.child.communicate(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        return self.child.returncode, out.decode()


@pytest.fixture
def training(project: Path) -> Iterator[Watched]:
    watched = Watched("materialize", "finetuned_checkpoint", "--recipe", "plain", "--json")
    try:
        watched.wait_for(f"of {ENDLESS} steps")
        yield watched
    finally:
        watched.child.kill()
        watched.child.wait()


def saved(project: Path) -> list[Path]:
    return list((project / "store").rglob("state.safetensors"))


@pytest.mark.long
def test_in_the_middle_of_training_it_saves_and_says_that_it_resumes(training: Watched, project: Path) -> None:
    training.child.send_signal(signal.SIGINT)
    code, out = training.end()
    error = json.loads(out)["error"]
    assert (code, error["kind"]) == (130, "Interrupted")
    assert "saved its checkpoint" in error["found"]
    assert "resumes" in error["do"]
    assert len(saved(project)) == 1
    assert "stopping: the checkpoint is saved" in training.said
    assert "loss" in training.said
    assert training.said.count("\x1b[?25h") >= 1  # the cursor is back


@pytest.mark.parametrize(
    ("signals", "kept", "words"),
    [
        ([signal.SIGTERM], 1, "saved its checkpoint"),
        ([signal.SIGINT, signal.SIGINT], 0, "what was finished is kept"),
    ],
)
def test_the_first_signal_saves_and_the_second_does_not_wait(
    project: Path, monkeypatch: pytest.MonkeyPatch, signals: list[signal.Signals], kept: int, words: str
) -> None:
    def at_the_first_step(message: dict) -> None:
        if message.get("event") == "step":
            for number in signals:
                signal.raise_signal(number)

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("safety_assets.commands.progress.heard", at_the_first_step)
    result = CliRunner().invoke(app, ["materialize", "finetuned_checkpoint", "--recipe", "plain"])
    assert result.exit_code == 130
    assert words in result.stderr
    assert len(saved(project)) == kept
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_elsewhere_it_says_that_what_was_finished_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("safety_assets.store.Store.publish", interrupted)
    for words in (["materialize", "raw_corpus", "--force"], ["run", "mixed"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 130
        assert "what was finished is kept" in result.stderr
        told = CliRunner().invoke(app, [*words, "--json"])
        assert (told.exit_code, json.loads(told.stdout)["error"]["kind"]) == (130, "Interrupted")


def test_a_gate_that_was_interrupted_says_nothing_about_the_checkpoint(
    tiny_model: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("safety_assets.flows.asking.open_generator", interrupted)
    result = CliRunner().invoke(app, ["gate", "--base", str(tiny_model), "--tuned", str(tiny_model)])
    assert result.exit_code == 130
    assert result.stdout == ""
