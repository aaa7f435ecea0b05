"""What flows and training say on the way, as log lines of a step; of answers given one line a minute."""

import time
from collections.abc import Callable, Mapping

ANSWERS_SECONDS = 60.0


class LogLines:
    """Takes messages and writes each as a line.

    Args:
        write: takes a line.
        clock: seconds, from any beginning.
    """

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock, self._at = write, clock, clock()

    def __call__(self, message: Mapping[str, object]) -> None:
        """Write the message, unless it only counts answers and did so within the last minute."""
        if message.get("event") == "answered":
            if self._clock() - self._at < ANSWERS_SECONDS:
                return
            self._at = self._clock()
        self._write(", ".join(f"{key}: {value}" for key, value in message.items()))
