"""What a metric says of one task item."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Grade:
    """A value, or why there is none.

    Args:
        value: 0 to 1, higher is better; None when the item cannot be scored.
        unscored_reason: a sentence; None when there is a value.
    """

    value: float | None
    unscored_reason: str | None = None


RIGHT, WRONG = Grade(1.0), Grade(0.0)


def right_if(is_right: bool) -> Grade:
    """1 or 0."""
    return RIGHT if is_right else WRONG


def unscored(reason: str) -> Grade:
    """No value: the item itself, or what was recorded of it, cannot be read."""
    return Grade(None, reason)
