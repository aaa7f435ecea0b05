"""Who launched a run: a person who named one recipe, or a program, which may only propose."""

from collections.abc import Mapping

BY_A_PROGRAM = {
    "dagster/schedule_name": "a schedule",
    "dagster/sensor_name": "a sensor",
    "dagster/auto_materialize": "an automation condition",
    "dagster/from_automation_condition": "an automation condition",
    "dagster/backfill": "a backfill, which names no single recipe",
}
"""Tags that Dagster puts on such runs; re-executions and retries inherit them."""


def launched_by_a_program(tags: Mapping[str, str]) -> str | None:
    """What launched a run; None for a person."""
    return next((who for tag, who in BY_A_PROGRAM.items() if tag in tags), None)
