"""The project's definitions, and beside them a job that waits until a test lets it go on."""

import os
import time
from pathlib import Path

import dagster as dg

from safety_assets import definitions as project

PLACE = Path(os.environ["WAITING_PLACE"])


@dg.op
def wait(context: dg.OpExecutionContext) -> None:
    """Say that it began, then wait."""
    (PLACE / f"began-{context.run.run_id}").touch()
    while not (PLACE / "go-on").exists():
        time.sleep(0.2)
        context.log.info("waiting")


@dg.job
def waiting() -> None:
    wait()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions.merge(project.defs(), dg.Definitions(jobs=[waiting]))
