"""Processes of Dagster's own beside a test: started in a folder, awaited within bounds, and ended with the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 300.0


def until(true: Callable[[], object], what: str) -> None:
    """Wait until something holds, for five minutes at most."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.5)


class Processes:
    """What was started in one folder; each writes a log there."""

    def __init__(self, place: Path) -> None:
        self.place, self.started = place, []

    def start(self, *words: str) -> subprocess.Popen:
        """`python -m words`, in a group of its own."""
        with (self.place / f"{len(self.started)}.log").open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", *words], stdout=out, stderr=out, cwd=self.place, start_new_session=True
            )
        self.started.append(process)
        return process

    def daemon(self) -> subprocess.Popen:
        """Dagster's daemon over the workspace.yaml of the folder."""
        return self.start("dagster._daemon", "run", "-w", "workspace.yaml")

    def end(self) -> None:
        """Kill what still runs, with its children."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
