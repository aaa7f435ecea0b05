"""Fail closed: how a verdict function reads figures, and what becomes of an exception inside it."""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import ParamSpec

from safety_assets.records import Status, Verdict

P = ParamSpec("P")


def fails_closed(check: str) -> Callable[[Callable[P, Verdict]], Callable[P, Verdict]]:
    """Decorator: an exception inside a verdict function becomes not_certified with the exception as its reason.

    Args:
        check: name of the check; "{argument}" stands for an argument of the call.
    """

    def wrap(judge: Callable[P, Verdict]) -> Callable[P, Verdict]:
        signature = inspect.signature(judge)

        @functools.wraps(judge)
        def closed(*args: P.args, **kwargs: P.kwargs) -> Verdict:
            name = check.format(**signature.bind(*args, **kwargs).arguments)
            try:
                return judge(*args, **kwargs)
            except Exception as error:
                return not_certified(
                    name, f"{name} could not be computed ({type(error).__name__}: {error}). Make its evidence again."
                )

        return closed

    return wrap


def passed(check: str, *reasons: str, **numbers: float | int | str) -> Verdict:
    """A pass; reasons are notes."""
    return Verdict(check=check, status="pass", reasons=reasons, numbers=shown(numbers))


def failed(check: str, *reasons: str, **numbers: float | int | str) -> Verdict:
    """A fail with at least one reason."""
    return Verdict(check=check, status="fail", reasons=reasons, numbers=shown(numbers))


def not_certified(check: str, *reasons: str, **numbers: float | int | str) -> Verdict:
    """What could not be decided: counts as a refusal; at least one reason."""
    return Verdict(check=check, status="not_certified", reasons=reasons, numbers=shown(numbers))


def settle(check: str, faults: list[str], gaps: list[str], notes: list[str], numbers: Mapping) -> Verdict:
    """The verdict that follows: fail when there are faults, else not_certified when there are gaps, else pass."""
    status: Status = "fail" if faults else "not_certified" if gaps else "pass"
    return Verdict(check=check, status=status, reasons=(*faults, *gaps, *notes), numbers=shown(numbers))


def shown(numbers: Mapping[str, float | int | str]) -> dict[str, float | int | str]:
    """Figures fit for JSON: a number that is not finite becomes text."""
    return {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in numbers.items()}


def figure(row: Mapping[str, object], key: str) -> float:
    """A finite number from a row; ValueError when it is missing, no number, NaN or infinite."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key} is {value!r}, expected a finite number")
    return float(value)


def count(row: Mapping[str, object], key: str) -> int:
    """A whole number of at least 0 from a row; ValueError otherwise."""
    value = figure(row, key)
    if value < 0 or value != int(value):
        raise ValueError(f"{key} is {value!r}, expected a whole number of at least 0")
    return int(value)
