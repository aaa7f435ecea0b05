"""Answers compared as text: exact, contains, regex."""

import re

from safety_assets.evals.task_metrics.grade import WRONG, Grade, right_if, unscored
from safety_assets.task_metric import Regex


def normalise(text: str) -> str:
    """Lower case, runs of white space as one space, no space around and no final full stop."""
    return " ".join(text.lower().split()).removesuffix(".").rstrip()


def holds(text: str, words: str) -> bool:
    """Whether a text holds others as whole words; both are normalised first."""
    return re.search(rf"(?<!\w){re.escape(normalise(words))}(?!\w)", normalise(text)) is not None


def exact(answer: str, completion: str) -> Grade:
    """The completion is the answer."""
    return right_if(normalise(answer) == normalise(completion))


def contains(answer: str, completion: str) -> Grade:
    """The completion holds the answer as whole words: "14" does not hold "4"."""
    return right_if(holds(completion, answer))


def regex(answer: str, completion: str, settings: Regex) -> Grade:
    """The last match of the pattern picks what is compared; an answer that does not match is compared whole.

    A completion without a match is wrong. An answer out of which nothing is picked leaves the item unscored.
    """
    wanted = _pick(settings.pattern, answer)
    wanted = answer if wanted is None else wanted
    if not normalise(wanted):
        return unscored("The pattern picks nothing out of the answer. Correct the pattern or the answer.")
    given = _pick(settings.pattern, completion)
    return WRONG if given is None else exact(wanted, given)


def _pick(pattern: str, text: str) -> str | None:
    """The group of the last match; empty when the group took no part in it, None without a match."""
    picked = None
    for match in re.finditer(pattern, text):
        picked = match.group(1) or ""
    return picked
