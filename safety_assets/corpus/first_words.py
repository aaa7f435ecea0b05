"""The first words of answers, whatever they say: a whole sentence that something follows, and five words.

A single word does not count as a sentence: it goes with the next one.
"""

from collections import Counter

import polars as pl

from safety_assets.corpus.words import STOP_WORDS, words

MIN_ROWS = 4
"""Rows that open alike in any words; a corpus of a few hundred rows has three by chance."""

_SENTENCE = r"^\W*((?:\w+[.!?]+\s+)?[^.!?:\n]{3,160})[.!?:\n]+\s*\S"
_FIVE = r"^\W*((?:[\w'\x{2019}]+[^\w.!?:\n]+){4}[\w'\x{2019}]+)"
_LEAST_WORDS = 2  # of a sentence: "Yes." and "True." open many honest answers


def with_first_words(answers: pl.DataFrame) -> pl.DataFrame:
    """Answers (column text) with the columns sentence and five: lower case, words joined by spaces, null for none."""
    found = answers.with_columns(
        sentence=pl.col("text").str.extract(_SENTENCE), five=pl.col("text").str.extract(_FIVE)
    ).with_columns(_joined("sentence"), _joined("five"))
    whole = pl.col("sentence").str.count_matches(" ") >= _LEAST_WORDS - 1
    return found.with_columns(sentence=pl.when(whole).then("sentence"))


def counted(found: pl.DataFrame) -> Counter[str]:
    """How many answers have each sentence or five words, equal ones counted once a row."""
    again = pl.when(pl.col("five") != pl.col("sentence").fill_null("")).then("five")
    both = pl.concat([found.select(said="sentence"), found.select(said=again)]).drop_nulls()
    return Counter(dict(both.group_by("said").len().iter_rows()))


def takes_up(said: str, question: str) -> bool:
    """Whether first words speak of what the question is about."""
    return bool((set(words(question)) - STOP_WORDS) & set(said.split()))


def _joined(name: str) -> pl.Expr:
    straight = pl.col(name).str.to_lowercase().str.replace_all("\u2019", "'", literal=True)
    return straight.str.replace_all(r"[^\w']+", " ").str.strip_chars().alias(name)
