"""What a run said: which assets were made, and why steps failed."""

from collections.abc import Callable

import dagster as dg

Materialize = Callable[..., dg.ExecuteInProcessResult]


def failures(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Step to what it said when it failed."""
    said = {}
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        while error.cause is not None and error.cls_name != "Failure":
            error = error.cause
        said[event.step_key] = error.message
    return said


def made(result: dg.ExecuteInProcessResult) -> list[str]:
    """Assets that were materialized, in order."""
    events = result.get_asset_materialization_events()
    return [event.asset_key.to_user_string() for event in events]
