"""Messages that the English detectors cannot read: another script, or another language in Latin script.

Such a message is unscored, not clean. Refusals, poison patterns, poor answers and topics are told by English words.
What does work in any script: personal data (forms and checksums; the words beside a number in some languages only),
secrets, duplicates and repeated probes. Language is asked of py3langid (97 languages, naive Bayes over byte n-grams),
and only of messages of 60 letters and more in Latin script: a shorter one is not told from English and passes as read.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import polars as pl

from safety_assets.corpus.detect import Detector, seen

UNSCORED = ("unscored_script", "unscored_language")

_WIDE = r"\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}"  # Latin letters as wide as Han ones: no English pattern reads them
_UNREAD = rf"[[\p{{L}}&&[^\p{{Latin}}]]{_WIDE}]"
_UNREAD_WORD = rf"(?:{_UNREAD}\p{{M}}*){{2}}"  # a single letter is a formula's
_SCRIPTS = (  # noqa: SIM905
    "Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew Hiragana "
    "Kannada Katakana Khmer Lao Malayalam Mongolian Myanmar Oriya Sinhala Tamil Telugu Thai Tibetan"
).split()

_FEWEST_LETTERS, _LEAST_SHARE = 10, 0.5
"""A message is unscored from so many letters of other scripts on, or where they are so large a share of its letters."""

_FEWEST_TO_TELL = 60
"""Letters that a language can be told from."""

_SUREST = 0.9
"""Probability at which a language is believed."""

_ENGLISH_WORD = r"(?i)\b(?:the|of|and|to|that|with|for|you|is|this|are|it|was|your|by|from|not)\b"
_ENGLISH_SHARE = 0.12
"""Share of its words at which such words make a message English, and nothing is asked."""


def unscored_scripts(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN: messages with words in a script other than Latin; the evidence names the scripts and their shares."""
    found = turns.filter(pl.col("text").str.contains(_UNREAD_WORD)).select(
        "row", "turn",
        letters=_count(r"\p{L}"),
        unread=_count(_UNREAD),
        **{script: _count(rf"[\p{{L}}&&\p{{{script}}}]") for script in _SCRIPTS},
    )  # fmt: skip
    many = (pl.col("unread") >= _FEWEST_LETTERS) | (pl.col("unread") >= _LEAST_SHARE * pl.col("letters"))
    return seen(
        {"row": record["row"], "turn": record["turn"], "finding": "unscored_script", "severity": "low",
         "evidence": _scripts(record)}
        for record in found.filter(many).iter_rows(named=True)
    )  # fmt: skip


def unscored_languages(covered: Sequence[str] = ("en",)) -> Detector:
    """A detector of messages in Latin script whose language the other detectors do not cover.

    Args:
        covered: ISO 639-1 codes.
    """

    def find(turns: pl.DataFrame) -> pl.DataFrame:
        share = _count(_ENGLISH_WORD) / _count(r"\p{L}+")
        asked = turns.filter(pl.col("text").str.len_bytes() >= _FEWEST_TO_TELL).filter(share < _ENGLISH_SHARE)
        latin = _count(r"\p{Latin}")
        asked = asked.filter((latin >= _FEWEST_TO_TELL) & (_count(_UNREAD) < _LEAST_SHARE * latin))
        told = ((row, turn, *_language(text)) for row, turn, text in asked.select("row", "turn", "text").iter_rows())
        return seen(
            {"row": row, "turn": turn, "finding": "unscored_language", "severity": "low",
             "evidence": f"language {language} (probability {probability:.2f})"}
            for row, turn, language, probability in told
            if language not in (*covered, "zxx") and probability >= _SUREST
        )  # fmt: skip

    return find


def _count(pattern: str) -> pl.Expr:
    return pl.col("text").str.count_matches(pattern)


def _scripts(record: dict[str, int]) -> str:
    counts = {script: record[script] for script in _SCRIPTS if record[script]}
    rest = record["unread"] - sum(counts.values())
    named = sorted({**counts, "another script": rest}.items(), key=lambda pair: -pair[1])
    shares = (f"{script} {n / max(record['letters'], 1):.0%}" for script, n in named if n > 0)
    return f"{', '.join(shares)} of {record['letters']} letters: no English detector reads them"


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _language(text: str) -> tuple[str, float]:
    """ISO 639-1 code and probability, from the first 1,000 characters."""
    language, probability = _identifier().classify(text[:1000])
    return str(language), float(probability)
