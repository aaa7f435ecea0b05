"""The sensor that tells people of red checks and failed runs: nothing lost, nothing sent twice.

Its cursor holds the time up to which runs were looked at, the runs looked at in the last minute (clocks of several
machines differ), and alerts that a channel still owes. Whatever else happens every alert stands in the log of its tick.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from safety_assets.alerts.alert import Alert
from safety_assets.alerts.deliver import Outbox, deliver
from safety_assets.defs.happened import alerts_of
from safety_assets.defs.owners import tagged
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.sensors import LOOK_EVERY, STATUS

OVERLAP = timedelta(seconds=60)
RUNS, OWED = 50, 100
"""Runs looked at in a tick; alerts owed at which no further run is looked at, so that the cursor stays small."""
TICK_SECONDS = 40.0
"""Dagster gives a tick sixty."""
WILL_RETRY = "dagster/will_retry"


@dataclass(frozen=True)
class Position:
    """Where the sensor stands."""

    after: datetime
    seen: tuple[str, ...] = ()
    owed: tuple[Alert, ...] = ()

    def cursor(self) -> str:
        """As Dagster keeps it."""
        owed = [alert.document() for alert in self.owed]
        return json.dumps({"after": self.after.isoformat(), "seen": self.seen, "owed": owed})


def position(cursor: str | None) -> Position:
    """Where the last tick ended; at first now: what failed before somebody turned alerts on is no news."""
    if not cursor:
        return Position(datetime.now(UTC))
    said = json.loads(cursor)
    owed = tuple(Alert(**document) for document in said["owed"])
    return Position(datetime.fromisoformat(said["after"]), tuple(said["seen"]), owed)


@dg.sensor(tags=tagged("ml_engineer"), minimum_interval_seconds=LOOK_EVERY, default_status=STATUS)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tell the model's owner what the gate refused, and who is on call what broke."""
    until = time.monotonic() + TICK_SECONDS
    ws, at = ProjectResource().quiet_workspace(), position(context.cursor)
    records = [] if len(at.owed) >= OWED else _failed(context.instance, at)
    new = [alert for record in records for alert in alerts_of(context.instance, record.dagster_run, ws)]
    for alert in new:
        context.log.warning(alert.text)
    settings, outbox, owed = ws.project.settings.operation.alerts, Outbox(ws.store.root / "alerts"), []
    for alert in (*at.owed, *new):
        lacking = deliver(alert, settings, outbox, until=until)
        for why in lacking:
            context.log.error(f"not delivered, tried again at the next tick: {why}")
        owed += [alert] if lacking else []
    context.update_cursor(_moved(at, records, owed).cursor())
    return dg.SkipReason(f"{len(new)} new alerts, {len(owed)} owed")


def _failed(instance: dg.DagsterInstance, at: Position) -> list[dg.RunRecord]:
    """Runs that failed since, oldest first; not those that Dagster itself launches again."""
    filters = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=at.after - OVERLAP)
    found = instance.get_run_records(filters, limit=RUNS + len(at.seen), order_by="update_timestamp", ascending=True)
    return list(_news(found, at))


def _news(found: Sequence[dg.RunRecord], at: Position) -> Iterator[dg.RunRecord]:
    for record in found:
        run = record.dagster_run
        if run.run_id not in at.seen and run.tags.get(WILL_RETRY) != "true" and _after(record) > at.after - OVERLAP:
            yield record


def _after(record: dg.RunRecord) -> datetime:
    stamp = record.update_timestamp
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def _moved(at: Position, records: list[dg.RunRecord], owed: list[Alert]) -> Position:
    """The next position: past what was looked at, with the runs that the overlap would show again."""
    after = max((_after(record) for record in records), default=at.after)
    seen = (*at.seen, *(record.dagster_run.run_id for record in records))
    return Position(after, seen[-4 * RUNS :], tuple(owed))


SENSORS = [alerts]
