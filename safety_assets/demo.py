"""The demonstration: the bundled project through Dagster, ending with what was rejected and what was released.

`python -m safety_assets.demo`, with DAGSTER_HOME set so that the runs can be looked at afterwards. A rejected
`plain` is the good case: exit code 0 only if plain was rejected and protected was released.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping

import dagster as dg
from rich.console import Console

from safety_assets.definitions import defs
from safety_assets.demo_table import results_table
from safety_assets.flows.release import decision_of
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.release import promotion
from safety_assets.store import Store

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
POLL_SECONDS = 0.3
EXPECTED = {"plain": "rejected", "protected": "released"}


def main() -> int:
    """Run everything and say what happened; 0 only when plain was rejected and protected released."""
    console = Console(file=os.fdopen(os.dup(1), "w"))  # a step's output goes to its compute logs, ours to the terminal
    started = time.monotonic()
    with dg.DagsterInstance.get() as instance:
        ready = all(_run(console, instance, job) == "done" for job in ("observe_inputs", "measure"))
        if not ready:
            return 1
        found = {recipe: _run(console, instance, "fine_tune", recipe) for recipe in EXPECTED}
        _run(console, instance, "compare_recipes")
    workspace = _workspace()
    console.print(results_table(workspace, list(EXPECTED)))
    return _conclude(console, workspace, found, time.monotonic() - started)


def _run(console: Console, instance: dg.DagsterInstance, job: str, recipe: str | None = None) -> str:
    """Run one job; done, released, rejected, not_certified or failed."""
    console.rule(f"{job} {recipe or ''}".strip(), align="left")
    run_id = dg.DagsterRun(job_name=job).run_id
    story = _Story(console, instance, run_id)
    with story:
        result = (
            defs()
            .resolve_job_def(job)
            .execute_in_process(
                instance=instance, run_id=run_id, partition_key=recipe, run_config=QUIET, raise_on_error=False
            )
        )
    if result.success:
        return "released" if recipe else "done"
    return _why(console, story.failed, recipe)


def _why(console: Console, failed: Mapping[str, str], recipe: str | None) -> str:
    """A decision that is no approval is an answer; any other failure is an error, and is printed."""
    if recipe and set(failed) == {"release_decision"}:
        found = _workspace().store.find("release_decision", recipe)
        if found is not None and decision_of(found).status != "approved":
            return decision_of(found).status
    for step, reason in failed.items():
        console.print(f"[red]{step} failed[/red]")
        console.print(reason, markup=False, soft_wrap=True)
    return "failed"


def _conclude(console: Console, ws: Workspace, found: Mapping[str, str], seconds: float) -> int:
    now = promotion.released(ws.store.root, ws.project.settings.name)
    serving = now["release"]["recipe"] if now else "nothing"
    console.print(f"Serving reads: {serving}. Everything took {seconds:.0f} s.")
    for recipe, outcome in found.items():
        expected = EXPECTED[recipe]
        console.print(f"{recipe}: {outcome}" + ("" if outcome == expected else f", expected {expected}"))
    console.print("Look at it: `make ui`, then open http://127.0.0.1:3000 and the asset release_decision.")
    return 0 if dict(found) == EXPECTED else 1


def _workspace() -> Workspace:
    project = open_project()
    return Workspace(project=project, store=Store(project.storage), launch=_no_training)


def _no_training(order: dict) -> dict:
    raise RuntimeError("the summary trains nothing")


class _Story:
    """Prints a line per finished asset while a run goes on, and keeps why steps failed."""

    def __init__(self, console: Console, instance: dg.DagsterInstance, run_id: str) -> None:
        self.console, self.instance, self.run_id = console, instance, run_id
        self.failed: dict[str, str] = {}
        self._told = 0
        self._started: dict[str, float] = {}
        self._cached: dict[str, bool] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Story":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._tell()

    def _watch(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            self._tell()

    def _tell(self) -> None:
        entries = self.instance.all_logs(self.run_id)
        for entry in entries[self._told :]:
            if entry.dagster_event is not None:
                self._one(entry.dagster_event, entry.timestamp)
        self._told = len(entries)

    def _one(self, event: dg.DagsterEvent, timestamp: float) -> None:
        step = event.step_key or ""
        match event.event_type:
            case dg.DagsterEventType.STEP_START:
                self._started[step] = timestamp
            case dg.DagsterEventType.ASSET_MATERIALIZATION:
                entry = event.step_materialization_data.materialization.metadata.get("cached")
                self._cached[step] = bool(entry and entry.value)
            case dg.DagsterEventType.STEP_SUCCESS:
                how = {True: "[dim]reused[/dim]", False: "made", None: "observed"}[self._cached.get(step)]
                self.console.print(f"  {step:24s} {timestamp - self._started[step]:6.1f} s  {how}")
            case dg.DagsterEventType.STEP_FAILURE:
                self.failed[step] = _innermost(event)
                self.console.print(f"  {step:24s} {timestamp - self._started[step]:6.1f} s  [red]red[/red]")


def _innermost(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None and error.cls_name != "Failure":
        error = error.cause
    return error.message if error else "no reason was recorded"


if __name__ == "__main__":
    sys.exit(main())
