"""The code location: everything Dagster shows of this project. It imports neither torch nor transformers."""

import os

import dagster as dg

from safety_assets.defs import (
    alerting,
    arrivals,
    baseline,
    corpus,
    evaluation,
    external,
    inputs,
    jobs,
    release,
    schedules,
    sensors,
    training,
    upkeep,
)
from safety_assets.defs.resources import ProjectResource

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
"""Threads that wait sleep, as in the training child: torch reads it when it is loaded, which is later."""

GROUPS = (inputs, corpus, baseline, training, evaluation, release, external)


@dg.definitions
def defs() -> dg.Definitions:
    """Assets by group, jobs, schedules, sensors. A run stays in one process; training has its own."""
    return dg.Definitions(
        assets=[asset for group in GROUPS for asset in group.ASSETS],
        jobs=[*jobs.JOBS, *release.JOBS, *upkeep.JOBS],
        schedules=schedules.SCHEDULES,
        sensors=[*sensors.SENSORS, *arrivals.SENSORS, *alerting.SENSORS],
        resources={"project": ProjectResource()},
        executor=dg.in_process_executor,
    )
