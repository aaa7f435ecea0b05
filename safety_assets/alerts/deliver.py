"""From an alert to everybody whom it concerns: tried again with back-off, marked once taken, never sent twice."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safety_assets.alerts.alert import Alert
from safety_assets.alerts.channels import NotDelivered, hand_over, named
from safety_assets.operation import Alerts, Channel, LogChannel
from safety_assets.store import digest_json, replace_text

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outbox:
    """Marks of what was taken: an empty file per alert and channel. They outlive cursors and instances.

    A crash in the instant between the server's answer and the mark is the one case in which an alert comes twice.
    """

    folder: Path

    def sent(self, alert: Alert, channel: Channel) -> bool:
        return self._mark(alert, channel).exists()

    def mark(self, alert: Alert, channel: Channel) -> None:
        replace_text(self._mark(alert, channel), "")

    def _mark(self, alert: Alert, channel: Channel) -> Path:
        return self.folder / f"{alert.key}-{digest_json(channel.model_dump(mode='json'))[:16]}"


def deliver(
    alert: Alert, settings: Alerts, outbox: Outbox, *, until: float, sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """Hand an alert to every channel that did not take it yet.

    Args:
        until: a time of `time.monotonic` after which nothing more is tried.

    Returns:
        Channels that still owe it, each with why; empty when all took it.
    """
    channels = settings.model_owner if alert.kind == "gate" else settings.on_call
    lacking = [channel for channel in channels if not outbox.sent(alert, channel)]
    return [said for channel in lacking if (said := _persist(alert, channel, settings, outbox, until, sleep))]


def _persist(
    alert: Alert, channel: Channel, settings: Alerts, outbox: Outbox, until: float, sleep: Callable[[float], None]
) -> str:
    """Try until it is taken, the tries or the time are used up; why it was not, or nothing."""
    said = f"{named(channel)}: no time was left"
    for attempt in range(settings.tries):
        if time.monotonic() + settings.timeout > until:
            break
        if attempt:
            sleep(settings.backoff * 2 ** (attempt - 1))
        try:
            _take(alert, channel, settings)
        except NotDelivered as error:
            said = str(error)
        else:
            outbox.mark(alert, channel)
            return ""
    return said


def _take(alert: Alert, channel: Channel, settings: Alerts) -> None:
    if isinstance(channel, LogChannel):
        log.warning("%s", alert.text)
    else:
        hand_over(alert, channel, settings)
