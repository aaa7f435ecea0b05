"""What is tried again: a worker or a connection that was lost. A gate's refusal and the end of memory are answers."""

from pathlib import Path

import dagster as dg

from safety_assets.errors import TrainingError

MAX_RETRIES, WAIT_SECONDS = 2, 30.0
KERNEL = Path("/proc/vmstat")
"""Where Linux counts what it killed because memory ended, on the whole machine."""


class WorkerLost(TrainingError):
    """The training process was killed from outside; what it saved is kept."""


def asked_again(error: Exception) -> dg.RetryRequested | None:
    """A request to run the step again, where something was lost that the work is not to blame for; else None."""
    if isinstance(error, WorkerLost | ConnectionError | TimeoutError):
        return dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=WAIT_SECONDS)
    return None


def memory_kills(counters: Path = KERNEL) -> int:
    """How many processes the system killed so far because memory ended; 0 where it does not say."""
    try:
        lines = counters.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
