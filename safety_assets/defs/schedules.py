"""Schedules, with cron lines and time zone of project.yaml: stopped until `operation.turned_on` there says otherwise.

The key of a run is the time it was due: a tick that is evaluated twice, by two daemons or after a crash, makes one run.
"""

import dagster as dg

from safety_assets.defs.jobs import measure, observe_inputs
from safety_assets.defs.owners import tagged
from safety_assets.defs.spec import PROJECT
from safety_assets.defs.upkeep import clean_up, recheck
from safety_assets.people import Role

OPERATION = PROJECT.settings.operation
RETRAINS = "safety_assets/retrains"
"""Tag of a measurement that retraining follows."""


def scheduled(name: str, job_name: str, cron: str, says: str, answers: Role, **tags: str) -> dg.ScheduleDefinition:
    """A schedule in the project's time zone whose runs are known by the time they were due."""

    def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=tags)

    status = dg.DefaultScheduleStatus.RUNNING if OPERATION.turned_on else dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=name, job_name=job_name, cron_schedule=cron, execution_timezone=OPERATION.time_zone, description=says,
        default_status=status, execution_fn=due, tags=tagged(answers),
    )  # fmt: skip


SCHEDULES = [
    scheduled(
        "observe_every_morning", observe_inputs.name, OPERATION.observe,
        "Edits of policy, tasks or recipes show as stale on the day they are made.", "ml_engineer",
    ),
    scheduled(
        "retrain_every_week", measure.name, OPERATION.retrain,
        "Measure, and once that succeeded retrain every recipe (sensor `measured`). It proposes, and releases nothing.",
        "data_steward",
        **{RETRAINS: "true"},
    ),
    scheduled("recheck_every_night", recheck.name, OPERATION.recheck, "Does what is served still hold?", "model_owner"),
    scheduled(
        "clean_up_every_week", clean_up.name, OPERATION.clean_up, "Says what could be removed. It removes nothing.",
        "ml_engineer",
    ),
]  # fmt: skip
