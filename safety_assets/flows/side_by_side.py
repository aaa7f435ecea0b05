"""Several training orders at once, each in its own process: quicker where one small model cannot fill the cores."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

POLL_SECONDS = 0.2


def run_side_by_side(
    orders: Sequence[dict], processes: int, should_stop: Callable[[], bool], told: Callable[[int], None]
) -> None:
    """Run orders, so many at a time. They stay in the caller's process group.

    What they say goes to `child.log` in their work folder. Nothing is returned and no failure is raised: whoever
    asks for an order's result again finds it done, resumes it or meets its error. After a stop no further child is
    started, and those that run save and end. `told` hears how many have ended, whenever that changes.
    """
    waiting, running, ended = list(orders), list[subprocess.Popen](), 0
    while waiting or running:
        left = [child for child in running if child.poll() is None]
        if len(left) < len(running):
            ended += len(running) - len(left)
            told(ended)
        running = left
        if should_stop():
            waiting.clear()
            for child in running:
                child.terminate()
        while waiting and len(running) < processes:
            running.append(_start(waiting.pop(0)))
        time.sleep(POLL_SECONDS)


def _start(order: dict) -> subprocess.Popen:
    path = Path(order["work"]) / "order.json"
    path.write_text(json.dumps(order))
    with path.with_name("child.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "safety_assets.worker", str(path)], stdout=log, stderr=log)
