"""The training child: `python -m safety_assets.worker [ORDER.json]` reads an order, runs it, reports, stops when told.

On several devices it starts others of its kind, one per device, and they take the steps (flows.several_devices).
Under Dagster the order comes through Pipes and messages go back the same way; without it the order is a JSON
file and messages are lines on stdout. SIGINT or SIGTERM ask for a stop: training saves its checkpoint and the
child ends with exit code 130. The same order resumes there. The result is a JSON file that the order names.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safety_assets.errors import Interrupted, SafetyAssetsError, TrainingError, retold
from safety_assets.exhaustion import exhaustion
from safety_assets.flows.orders import run_order
from safety_assets.flows.several_devices import own_result
from safety_assets.store import replace_text

INTERRUPTED = 130
STOPPING = b"\nstopping: the checkpoint is saved after this step; once more ends at once, without it\n"
PARENT_POLL_SECONDS = 0.5
ORPHAN_GRACE_SECONDS = 60.0

Report = Callable[[Mapping[str, object]], None]


def main() -> int:
    """Run one order to its end; the exit code is 0, 1 (refused in words) or 130 (interrupted, resumable)."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    with _channel() as (order, report):
        return carry_out(order, report, stop)


def carry_out(order: dict, report: Report, stop: threading.Event) -> int:
    """Run an order and leave its result, or the error in words, in the file it names."""
    several = order["kind"] == "steps"
    path = own_result(order, os.environ["RANK"]) if several else Path(order["result"])
    path.unlink(missing_ok=True)
    try:
        result = run_order(order, report, stop.is_set)
    except Exception as error:
        said = error if isinstance(error, SafetyAssetsError) else exhaustion(error)
        if said is None:
            raise
        if stop.is_set() and said is error:
            return INTERRUPTED
        replace_text(path, json.dumps({"error": said.told()}))
        return 1
    replace_text(path, json.dumps(result))
    return 0


def read_result(order: dict, exit_code: int) -> dict:
    """What a child left, seen from its parent.

    Raises:
        SafetyAssetsError: the error the child met, of the same class; Interrupted when it was asked to stop;
            TrainingError when it died.
    """
    path = Path(order["result"])
    if exit_code == INTERRUPTED:
        raise Interrupted("training was interrupted and saved its checkpoint", do="launch it again: it resumes there")
    if not path.is_file():
        raise _died(exit_code)
    result = json.loads(path.read_text())
    if "error" in result:
        raise retold(result["error"])
    return result


def _died(exit_code: int) -> TrainingError:
    """A child that left neither result nor error. One that was killed says nothing; what it saved is kept."""
    if exit_code != -signal.SIGKILL:
        return TrainingError(
            f"the training process ended with code {exit_code} and left no result",
            expected="exit code 0",
            do="read its output in the step's compute logs, mend what it names, and launch it again",
        )
    return TrainingError(
        "the training process was killed (signal 9) and left no result",
        expected="exit code 0",
        do="launch it again: it goes on from its last save. If nobody killed it, the system did because memory ended "
        "(its log says so): then see `safety-assets plan` first",
    )


def launch_here(order: dict, report: Report | None = None) -> dict:
    """Run an order in this process; SIGINT (Ctrl-C) or SIGTERM saves the checkpoint first, a second one does not wait.

    Raises:
        SafetyAssetsError: as `read_result` does.
        KeyboardInterrupt: a second signal came before the checkpoint was saved; an earlier one is kept.
    """
    stop = threading.Event()

    def asked(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, STOPPING)  # a print may be what was interrupted

    numbers = (signal.SIGINT, signal.SIGTERM) if _in_main_thread() else ()
    before = {number: signal.signal(number, asked) for number in numbers}
    try:
        return read_result(order, carry_out(order, report or _print, stop))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def launch_apart(order: dict, report: Report | None = None) -> dict:
    """Run an order in a process of its own: its memory is its own, and a kill for lack of it ends in words.

    Raises:
        TrainingError: as `read_result`, and where the child was killed, as it is when memory ends.
        SafetyAssetsError: the child broke down; with the last line of what it said.
    """
    work = Path(order["work"])
    path, log = work / "order.json", work / "child.log"
    path.write_text(json.dumps(order))
    command = [sys.executable, "-m", "safety_assets.worker", str(path)]
    with log.open("w") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            message = _message(line)
            if message is None:
                said.write(line)
                said.flush()
            else:
                (report or _print)(message)
    if child.returncode not in (0, INTERRUPTED) and not Path(order["result"]).is_file():
        last = (log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]
        killed = child.returncode < 0
        raise (TrainingError if killed else SafetyAssetsError)(
            f"the training process ended with code {child.returncode}; it said last: {last:.300}",
            expected="exit code 0",
            do="free memory, or run on a larger machine" if killed else "mend what it names",
        )
    return read_result(order, child.returncode)


def _message(line: str) -> dict | None:
    """A line of a child's stdout as the message that it is; None where some library printed it."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def _channel() -> Iterator[tuple[dict, Report]]:
    """The order, and where messages go."""
    if len(sys.argv) > 1:
        yield json.loads(Path(sys.argv[1]).read_text()), _print
        return
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        yield pipes.get_extra("order"), lambda message: pipes.report_custom_message(dict(message))


def _print(message: Mapping[str, object]) -> None:
    print(json.dumps(dict(message)), flush=True)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _end_with_parent(parent: int) -> None:
    """Ask for a stop when the parent dies, as a signal would, and end for certain after a grace."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_GRACE_SECONDS)
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
