"""Answers that teach nothing: blank, too short, an echo of the question, or one phrase over and over; and cut answers.

An answer cut in mid-sentence is a finding of its own: exports cut long answers, and the beginning still teaches.
"""

import zlib
from collections import Counter

import numpy as np
import polars as pl

from safety_assets.corpus.detect import seen
from safety_assets.corpus.hashed import hash_words, runs, whole
from safety_assets.corpus.sightings import sightings
from safety_assets.corpus.words import normalise, words
from safety_assets.hashes import repetition

_MIN_WORDS = 2
_REPETITION_WORDS = 12
_MAX_WORD_SHARE = 0.5
_MAX_PHRASE_SHARE = 0.5
_PHRASE_WORDS = 4
_MIN_COMPRESSED_SHARE = 0.12
_SHORTEST_COMPRESSED = 400
_REPEATED_RUNS = 0.3  # what compresses so far repeats far more than that

_OPEN_END = (
    r"(?i)(?:[,(\[{]|\s[-\x{2013}\x{2014}]|\b(?:the|a|an|of|and|or|to|with|for|from|by|which|is|are|was|were|as|at|be|their|its|your|his"
    r"|this|these|but|because|if|when|than|into|such|other|between|will|can|must|should|has|have))$"
)
_NO_END = r"[a-z]$"
_NO_PROSE = r"^\s*(?:[-*#|>+\x{2022}]|\d+[.)]|\w+:|[A-Z]\))|#\w+$"
_OPEN_LINE = 30
_SENTENCES = r"[a-z0-9\")\]][.!?](?:\s|$)"
_MIN_CUT = 40
_MIN_CUT_WITHOUT_END = 300
_LAST_LINE = 60


def low_quality(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of answers that teach nothing, severity low. A `detect.Detector`."""
    answers = turns.filter(pl.col("role") == "assistant")
    likely = answers.filter(pl.Series(_likely(answers), dtype=pl.Boolean)).select("row", "turn", "question", "text")
    return seen(
        {"row": row, "turn": turn, "finding": "low_quality", "severity": "low", "evidence": fault}
        for row, turn, question, text in likely.iter_rows()
        if (fault := quality_fault(question, text)) is not None
    )


def truncated_answer(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of answers that stop in mid-sentence or in an open block of code, severity low. A `detect.Detector`."""
    text = pl.col("text").str.strip_chars_end()
    last = text.str.split("\n").list.last()
    prose = (text.str.count_matches(_SENTENCES) >= 3) & ~last.str.contains(_NO_PROSE)
    cut = text.str.contains(_NO_END) & prose & (text.str.len_chars() >= _MIN_CUT_WITHOUT_END)
    cut &= last.str.len_chars() >= _LAST_LINE
    open_end = text.str.contains(_OPEN_END) & (text.str.len_chars() >= _MIN_CUT) & (last.str.len_chars() >= _OPEN_LINE)
    open_block = text.str.count_matches("(?m)^\\s*```") % 2 == 1
    why = pl.when(open_block).then(pl.lit("inside a block of code")).otherwise(pl.lit("in mid-sentence"))
    answers = turns.filter(pl.col("role") == "assistant").filter(open_end | open_block | cut)
    tail = pl.col("text").str.strip_chars_end().str.slice(-40).str.replace_all(r"\s+", " ")
    return sightings(answers, "truncated_answer", "low", pl.format("the answer stops {}: ... {}", why, tail))


def quality_fault(question: str, answer: str) -> str | None:
    """What is wrong with an answer to the user turn before it, in words; None when nothing is."""
    if not answer.strip():
        return "the answer is blank"
    found = words(answer)
    if len(found) < _MIN_WORDS:
        return f"the answer has {len(found)} word{'' if len(found) == 1 else 's'}"
    if normalise(question) == " ".join(found):
        return "the answer is the question"
    return _repetition(found)


def _likely(answers: pl.DataFrame) -> np.ndarray:
    """Whether an answer may have a fault (answers,): none that has one is left out."""
    found = hash_words(answers["text"])
    counts = found.counts
    echo = whole(found) == whole(hash_words(answers["question"]))
    phrases = runs(found, _PHRASE_WORDS)
    _, most_of_word = repetition(found)
    different, most_of_phrase = repetition(phrases)
    filled = most_of_word > _MAX_WORD_SHARE * counts
    filled |= most_of_phrase * _PHRASE_WORDS > _MAX_PHRASE_SHARE * counts
    filled |= phrases.counts - different > _REPEATED_RUNS * phrases.counts
    return (counts < _MIN_WORDS) | echo | (filled & (counts >= _REPETITION_WORDS))


def _repetition(found: list[str]) -> str | None:
    if len(found) < _REPETITION_WORDS:
        return None
    word, count = Counter(found).most_common(1)[0]
    if count > _MAX_WORD_SHARE * len(found):
        return f"one word fills the answer: {word!r:.30}, {count} of {len(found)} words"
    phrases = Counter(tuple(found[i : i + _PHRASE_WORDS]) for i in range(len(found) - _PHRASE_WORDS + 1))
    phrase, count = phrases.most_common(1)[0]
    if count > 2 and count * _PHRASE_WORDS > _MAX_PHRASE_SHARE * len(found):
        return f"one phrase fills the answer: {' '.join(phrase)!r:.60}, {count} times"
    text = " ".join(found).encode()
    if len(text) > _SHORTEST_COMPRESSED and len(zlib.compress(text)) < _MIN_COMPRESSED_SHARE * len(text):
        return f"the answer repeats itself: {len(text)} bytes compress to {len(zlib.compress(text))}"
    return None
