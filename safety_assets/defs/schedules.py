"""Schedules, stopped until somebody starts them: look at the inputs every morning, measure anew every week."""

import dagster as dg

from safety_assets.defs.jobs import measure, observe_inputs
from safety_assets.defs.owners import tagged

observe_every_morning = dg.ScheduleDefinition(
    name="observe_every_morning",
    tags=tagged("ml_engineer"),
    job=observe_inputs,
    cron_schedule="0 6 * * *",
    description="Edits of policy, tasks or recipes show as stale on the day they are made.",
)
measure_every_week = dg.ScheduleDefinition(
    name="measure_every_week",
    tags=tagged("data_steward"),
    job=measure,
    cron_schedule="0 3 * * 1",
    description="What did not change is reused, so a quiet week costs seconds.",
)

SCHEDULES = [observe_every_morning, measure_every_week]
