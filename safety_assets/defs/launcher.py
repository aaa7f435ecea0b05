"""Training in a child process: started through Dagster Pipes, watched while it runs, stopped for certain.

The stock subprocess client reads custom messages after the child's end and never kills. This one turns the
child's messages into observations while it runs; on cancellation it interrupts the child's own process
group, waits for the checkpoint, then kills what is left.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster import PipesSession, PipesTempFileContextInjector, PipesTempFileMessageReader, open_pipes_session

from safety_assets.defs.lost import WorkerLost, memory_kills
from safety_assets.defs.told import LogLines
from safety_assets.errors import TrainingError
from safety_assets.worker import read_result

MAX_OBSERVATIONS = 50
POLL_SECONDS = 0.2


class TrainingLauncher:
    """Runs an order in a child process and returns its result.

    Args:
        grace_seconds: how long a cancelled child may take to save its checkpoint.
    """

    def __init__(self, context: dg.AssetExecutionContext, *, grace_seconds: float) -> None:
        self.context, self.grace_seconds = context, grace_seconds

    def __call__(self, order: dict) -> dict:
        """Run the order to its end. TrainingError and its kin are raised here as they were in the child.

        Raises:
            WorkerLost: the child was killed, and not because memory ended: the next try goes on from its last save.
        """
        kills = memory_kills()
        with self._session(order) as session:
            child = start_child(session.get_bootstrap_env_vars())
            try:
                self._follow(child, session, order)
            finally:
                stop_child(child, self.grace_seconds)
        try:
            return read_result(order, child.returncode)
        except TrainingError as error:
            if child.returncode < 0 and memory_kills() == kills and not Path(order["result"]).is_file():
                raise WorkerLost(error.found, expected=error.expected, do=error.do) from error
            raise

    @contextlib.contextmanager
    def _session(self, order: dict) -> Iterator[PipesSession]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.PreviewWarning)  # Pipes itself uses what Dagster calls a preview,
            warnings.filterwarnings("ignore", "AssetExecutionContext", DeprecationWarning)  # and what it deprecates
            with open_pipes_session(
                context=self.context,
                context_injector=PipesTempFileContextInjector(),
                message_reader=PipesTempFileMessageReader(),
                extras={"order": order},
            ) as session:
                yield session

    def _follow(self, child: subprocess.Popen, session: PipesSession, order: dict) -> None:
        story = _Story(self.context, total_steps=int(order["total_steps"]))
        ended = False
        while not ended:
            ended = child.poll() is not None
            story.tell(session.get_custom_messages())
            if not ended:
                time.sleep(POLL_SECONDS)


def start_child(environment: Mapping[str, str]) -> subprocess.Popen:
    """The worker in its own process group, so that a signal reaches all of it and nothing else.

    Its CPU threads sleep while they wait: spinning ones made a step thirty times slower on a machine with other work.
    """
    waiting = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **environment}
    return subprocess.Popen([sys.executable, "-m", "safety_assets.worker"], env=waiting, start_new_session=True)


def stop_child(child: subprocess.Popen, grace_seconds: float) -> None:
    """Interrupt the child, give it time to save, kill what is left of its group. Harmless when it has ended."""
    if child.poll() is None:
        _signal_group(child, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=grace_seconds)
    _signal_group(child, signal.SIGKILL)
    child.wait()


def _signal_group(child: subprocess.Popen, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # the whole group has ended
        os.killpg(child.pid, number)


class _Story:
    """Turns a child's messages into log lines; steps, and looks at the watch probes, into observations.

    Of both there are at most MAX_OBSERVATIONS.
    """

    def __init__(self, context: dg.AssetExecutionContext, *, total_steps: int) -> None:
        self.context = context
        self.every = max(1, -(-total_steps // MAX_OBSERVATIONS))
        self.line = LogLines(context.log.info)
        self.num_told = self.num_steps = self.num_observed = self.num_watched = 0

    def tell(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Report the messages that came since the last call."""
        for message in messages[self.num_told :]:
            if message.get("event") == "step":
                self._step(message)
                continue
            self.line(message)
            if message.get("event") == "watch":
                self._watch(message)
        self.num_told = len(messages)

    def _step(self, message: Mapping[str, object]) -> None:
        self.num_steps += 1
        if self.num_steps % self.every == 0 and self.num_observed < MAX_OBSERVATIONS:
            self.num_observed += 1
            self._observe(message)

    def _watch(self, message: Mapping[str, object]) -> None:
        scores = message.get("scores")
        if isinstance(scores, Mapping) and self.num_watched < MAX_OBSERVATIONS:
            self.num_watched += 1
            self._observe({"step": message.get("step"), **{f"watch/{name}": score for name, score in scores.items()}})

    def _observe(self, message: Mapping[str, object]) -> None:
        """The numbers of a message as an observation, which Dagster plots: loss, learning rate, watched scores."""
        plain = {key: value for key, value in message.items() if isinstance(value, int | float)}
        partition = self.context.partition_key if self.context.has_partition_key else None
        self.context.log_event(dg.AssetObservation(self.context.asset_key, partition=partition, metadata=plain))
