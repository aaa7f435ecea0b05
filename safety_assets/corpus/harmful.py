"""Requests of a policy category that are answered, not refused: the plainest poison, and the rarest found by reading.

Which requests are harmful and which answers refuse is told from outside (`Category`, `Refuses`). A placeholder where
the harm would stand is compliance too. Disapproval and help elsewhere are none, whether or not they refuse in so many
words.
"""

import re
from collections.abc import Callable, Sequence

import polars as pl

from safety_assets.corpus.detect import Detector, seen
from safety_assets.corpus.disapproval import disapproves
from safety_assets.corpus.words import words

Categories = Callable[[Sequence[str]], Sequence[str | None]]
"""The policy category in which each request asks for harm, or None (`topics.Topics.harmful`)."""

Refuses = Callable[[str], bool]
"""Whether an answer refuses (`refusals.is_refusal`)."""

_PLACEHOLDER = re.compile(
    r"[\[<({]\s*(?:placeholder|withheld|redacted|removed|omitted|censored|harmful|unsafe|details?\s+withheld|content\s+(?:removed|withheld)"
    r"|steps?\s+(?:omitted|withheld))[^\])>}]{0,40}[\])>}]",
    re.IGNORECASE,
)
_MIN_WORDS = 3


def placeholder(answer: str) -> str | None:
    """The marked placeholder that stands where an answer would do harm ("[withheld]"), if there is one."""
    found = _PLACEHOLDER.search(answer)
    return found.group() if found else None


def harmful_answered(categories: Categories, refuses: Refuses) -> Detector:
    """A detector of answers that comply with a request of a policy category, severity high."""

    def reason(question: str, answer: str, touched: str) -> str | None:
        held_back = placeholder(answer)
        if refuses(answer):
            return None
        if held_back:
            return f"a request of category {touched} is answered with the placeholder {held_back!r:.60}"
        if len(words(answer)) < _MIN_WORDS or disapproves(answer):
            return None
        return f"a request of category {touched} is answered: {question!r:.60}"

    def find(turns: pl.DataFrame) -> pl.DataFrame:
        answers = in_category(turns, categories)
        return seen(
            {"row": row, "turn": turn, "finding": "harmful_answered", "severity": "high", "evidence": why}
            for row, turn, question, answer, touched in answers.rows()
            if (why := reason(question, answer, touched)) is not None
        )

    return find


def in_category(turns: pl.DataFrame, categories: Categories) -> pl.DataFrame:
    """Answers to requests of a category: columns row, turn, question, text, category; equal requests asked once."""
    answers = turns.filter(pl.col("role") == "assistant").select("row", "turn", "question", "text")
    asked = answers["question"].unique(maintain_order=True).to_list()
    told = zip(asked, categories(asked), strict=True)
    touched = {question: found for question, found in told if found is not None}
    table = pl.DataFrame(
        {"question": list(touched), "category": list(touched.values())},
        schema={"question": pl.String, "category": pl.String},
    )
    return answers.join(table, on="question", how="inner", maintain_order="left")
