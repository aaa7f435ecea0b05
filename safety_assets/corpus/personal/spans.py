"""What a piece of personal data is: its kinds, how it is masked, and a family of forms that one search finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["low", "medium", "high"]

SEVERITIES: dict[str, Severity] = {
    "secret": "high",
    "iban": "high",
    "payment_card": "high",
    "us_ssn": "high",
    "national_id": "high",
    "email": "medium",
    "ip_address": "medium",
    "phone": "low",
}
"""Kind to severity, the surest form first: where two kinds share characters, the earlier one is reported."""

PLACEHOLDERS = {kind: f"[{kind.upper()}]" for kind in SEVERITIES}


@dataclass(frozen=True, order=True)
class Span:
    """One piece of personal data in a text.

    Args:
        start: first character.
        end: one past the last character.
        kind: a key of SEVERITIES.
        evidence: the form where it has a name, and what was seen, all but its first character masked.
        severity: low, medium or high.
    """

    start: int
    end: int
    kind: str
    evidence: str
    severity: Severity


Place = tuple[int, int, str]
"""First character, one past the last, and the name of the form ("UK NHS number"), empty where the kind says it all."""


@dataclass(frozen=True)
class Family:
    """The forms of one kind.

    Args:
        kind: a key of SEVERITIES.
        hint: a regular expression in Rust's dialect. Every text in which `find` finds something contains a match,
            also before anything in it was blotted out; so it must say nothing of what stands around a form.
        find: a text to the places in it, none overlapping another.
        as_written: `find` wants the text as it stands, not with the digits and dashes of `writing.plain`.
    """

    kind: str
    hint: str
    find: Callable[[str], Iterable[Place]]
    as_written: bool = False


def mask(text: str) -> str:
    """A text with all letters and digits but the first character starred, at most 40 characters long."""
    return (text[:1] + "".join("*" if c.isalnum() else " " if c.isspace() else c for c in text[1:]))[:40]
