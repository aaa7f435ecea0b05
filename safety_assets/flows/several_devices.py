"""The steps of one training in several processes of this machine, started, watched and ended by torchrun's agent.

The agent runs in the caller's process; the others are its children, each in a session of its own. A signal to it is
passed on to them and they save; one that dies ends all; one whose agent is gone ends by itself (safety_assets.worker).
"""

import gc
import json
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safety_assets.errors import TrainingError, retold

POLL_SECONDS = 0.2
SAVE_SECONDS = 45
"""What signalled processes have to save; less than the launcher gives the agent (`grace_seconds`)."""

START_POLLS = 10
"""Polls that the agent has to start its processes in."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What the agent listens to."""

Report = Callable[[Mapping[str, object]], None]
ShouldStop = Callable[[], bool]


def run_on_devices(order: dict, report: Report, should_stop: ShouldStop) -> None:
    """Run an order of kind `steps` in `order["devices"]` processes, to the end.

    Every process runs `safety_assets.worker` on the same order; the main one writes its events to a file, and what
    went wrong stands in `own_result` of the process it happened to.

    Raises:
        SafetyAssetsError: the error that a process met, of the same class; TrainingError when they were told to stop
            (their state is saved) or one of them died.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    work = Path(order["work"])
    path, events = work / "steps.json", Path(order["events"])
    for old in work.glob(f"{Path(order['result']).name}.*"):
        old.unlink()
    path.write_text(json.dumps(order))
    events.write_text("")
    try:
        with _surroundings_kept(), _followed(events, report, should_stop):
            _launch(order["devices"], work, path)
    except SignalException as stopped:
        signal.raise_signal(stopped.sigval)  # whoever listened before hears it now
        raise TrainingError("training was interrupted", do="launch it again: it resumes where it saved") from None
    except ChildFailedError as failed:
        raise _told_by(order, failed.failures) from None


def own_result(order: dict, rank: str) -> Path:
    """Where one process of several leaves its result or its error."""
    return Path(f"{order['result']}.{rank}")


def _launch(devices: int, work: Path, path: Path) -> None:
    import torch
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", str(SAVE_SECONDS))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // devices)))
    logs = work / "ranks"
    logs.mkdir(exist_ok=True)
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=devices, max_restarts=0, run_id=uuid.uuid4().hex,
        rdzv_backend="c10d", rdzv_endpoint="localhost:0", local_addr="localhost", monitor_interval=POLL_SECONDS,
        logs_specs=DefaultLogsSpecs(log_dir=str(logs)),
    )  # fmt: skip
    gc.collect()
    torch.cuda.empty_cache()  # what scoring the base left on a device that a process now needs whole
    elastic_launch(config, sys.executable)("-m", "safety_assets.worker", str(path))


def _told_by(order: dict, failures: Mapping[int, object]) -> Exception:
    """The error in words that one of them left, else which of them died how."""
    for rank in range(order["devices"]):
        path = own_result(order, str(rank))
        said = json.loads(path.read_text()) if path.is_file() else {}
        if "error" in said:
            return retold(said["error"])
    died = ", ".join(f"rank {rank} with code {getattr(f, 'exitcode', '?')}" for rank, f in sorted(failures.items()))
    return TrainingError(
        f"of {order['devices']} training processes ended before their time: {died}", expected="exit code 0",
        do="read their output in the step's compute logs; a kill for memory leaves no other trace",
    )  # fmt: skip


@contextmanager
def _surroundings_kept() -> Iterator[None]:
    """The agent puts in its own signal handlers and environment; afterwards they are as before."""
    environment = dict(os.environ)
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        if threading.current_thread() is threading.main_thread():  # elsewhere the agent puts none in
            for number, handler in kept.items():
                signal.signal(number, handler)


@contextmanager
def _followed(events: Path, report: Report, should_stop: ShouldStop) -> Iterator[None]:
    """While the body runs, report the lines that are appended to a file, and pass on a stop the agent did not hear.

    The agent listens only from when it starts the processes: a signal before that reached whoever listened then. While
    it starts them it must not be disturbed, or it forgets those it has; they would end with it, but no sooner.
    """
    ended, listening = threading.Event(), signal.getsignal(signal.SIGINT)

    def follow() -> None:
        rest, polls = "", 0
        with events.open() as file:
            while True:
                last = ended.wait(POLL_SECONDS)
                *lines, rest = (rest + file.read()).split("\n")
                for line in lines:
                    report(json.loads(line))
                if last:
                    return
                polls += signal.getsignal(signal.SIGINT) is not listening
                if polls >= START_POLLS and should_stop():
                    os.kill(os.getpid(), signal.SIGINT)
                    return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
