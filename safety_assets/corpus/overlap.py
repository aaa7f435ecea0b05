"""Contamination: a probe or task question that stands, verbatim or nearly so, in a user turn of the corpus.

Questions share openings ("How do I ..."), so a question counts only as a whole: enough of its 3-word shingles must
be in the turn and with them nearly all of its content words; or all of it with small edits (`edited`). Turns and
questions are hashed; an index of rare shingles and of content words that stand together says which turn to compare with
which question, so that pairs are never compared one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import polars as pl

from safety_assets.corpus.asked import Asked, Shared
from safety_assets.corpus.detect import Detector, seen
from safety_assets.corpus.edited import allowed_edits, edits
from safety_assets.corpus.hashed import hash_words, whole
from safety_assets.corpus.words import SHINGLE_WORDS, content_words, normalise, words
from safety_assets.hashes import HashSet

_CONTENT_SHARE = 0.85
_MIN_CONTENT_WORDS = 2
_TEXTS = 1 << 12


@dataclass(frozen=True)
class Overlap:
    """A question found in a text.

    Args:
        question: identifier of the probe or task item.
        share: share of the question's shingles that the text holds, 0 to 1.
        verbatim: the whole text is the question, but for case and punctuation.
        edited: it is found by its words, small edits apart, and not by its shingles.
    """

    question: str
    share: float
    verbatim: bool
    edited: bool = False

    def __str__(self) -> str:
        if self.verbatim:
            return "word for word"
        return "with small edits" if self.edited else f"by {self.share:.0%} of its 3-word runs"


class Questions:
    """An index of questions, asked for those that a text repeats.

    Args:
        questions: identifier to the question's text.
        threshold: share of a question's shingles that must be found, 0 < threshold <= 1.
            Questions of under three words, or with less than two content words, must be the whole text.
    """

    def __init__(self, questions: Mapping[str, str], threshold: float) -> None:
        self._threshold = threshold
        self._whole: dict[str, str] = {}
        for name, text in questions.items():
            if normalise(text):
                self._whole.setdefault(normalise(text), name)
        self._known = HashSet(whole(hash_words(pl.Series(list(self._whole), dtype=pl.String))))
        parts = {name: text for text, name in self._whole.items() if is_distinctive(text)}
        self._ids, self._words = list(parts), [text.split() for text in parts.values()]
        self._asked = Asked(pl.Series(list(parts.values()), dtype=pl.String), threshold)

    def repeated_whole(self, text: str) -> Overlap | None:
        """The question that the whole text repeats, if any."""
        name = self._whole.get(normalise(text))
        return Overlap(name, 1.0, True) if name is not None else None

    def repeated_in(self, text: str) -> Overlap | None:
        """The question that a text repeats most fully, if any."""
        return self.repeated(pl.Series([text])).get(0)

    def repeated(self, texts: pl.Series) -> dict[int, Overlap]:
        """Position of a text to the question that it repeats most fully, for those that repeat one."""
        found: dict[int, Overlap] = {}
        for first in range(0, len(texts), _TEXTS):
            part = texts.slice(first, _TEXTS)
            found |= {first + place: overlap for place, overlap in self._found(part).items()}
        return found

    def _found(self, texts: pl.Series) -> dict[int, Overlap]:
        hashed = hash_words(texts)
        shared = self._asked.compare(hashed)
        found = self._with_edits(texts, shared) | self._by_shingles(shared)
        for place in np.flatnonzero(self._known.has(whole(hashed))).tolist():
            overlap = self.repeated_whole(texts[place])
            if overlap is not None:
                found[place] = overlap
        return found

    def _by_shingles(self, shared: Shared) -> dict[int, Overlap]:
        """The question of which each text has the largest share, the first of equals."""
        near = (shared.shingles >= self._threshold - 1e-9) & (shared.content >= _CONTENT_SHARE)
        text, question, share = shared.text[near], shared.question[near], shared.shingles[near]
        order = np.lexsort((-question, share))  # the last one of a text stays
        return {
            int(text[i]): Overlap(self._ids[int(question[i])], float(share[i]), verbatim=False) for i in order.tolist()
        }

    def _with_edits(self, texts: pl.Series, shared: Shared) -> dict[int, Overlap]:
        """The question that each text repeats with the smallest edits."""
        costs: dict[int, tuple[float, int, float]] = {}
        likely = np.flatnonzero(shared.edited)
        spoken: dict[int, list[str]] = {}
        for i in likely.tolist():
            text, question = int(shared.text[i]), int(shared.question[i])
            if text not in spoken:
                spoken[text] = words(texts[text])
            cost = edits(self._words[question], spoken[text])
            if cost <= allowed_edits(len(self._words[question])):
                costs[text] = min(costs.get(text, (inf, 0, 0.0)), (cost, question, float(shared.shingles[i])))
        return {
            text: Overlap(self._ids[q], share, verbatim=False, edited=True) for text, (_, q, share) in costs.items()
        }


def overlaps(questions: Questions, finding: str) -> Detector:
    """A detector of user turns that repeat a question, severity high.

    Args:
        finding: what to call it, `probe_overlap` or `task_overlap`.
    """
    return lambda turns: _told(turns, finding, questions.repeated)


def whole_overlaps(questions: Questions, finding: str) -> Detector:
    """The same of user turns that are a question word for word and nothing else."""

    def repeated(texts: pl.Series) -> dict[int, Overlap]:
        found = {place: questions.repeated_whole(text) for place, text in enumerate(texts.to_list())}
        return {place: overlap for place, overlap in found.items() if overlap is not None}

    return lambda turns: _told(turns, finding, repeated)


def _told(turns: pl.DataFrame, finding: str, search: Callable[[pl.Series], dict[int, Overlap]]) -> pl.DataFrame:
    """SEEN of user turns in which a question is found; equal turns are searched once."""
    users = turns.filter(pl.col("role") == "user")
    texts = users["text"].unique(maintain_order=True)
    told = {texts[place]: f"repeats {o.question} {o}: {texts[place]!r:.80}" for place, o in search(texts).items()}
    return seen(
        {"row": row, "turn": turn, "finding": finding, "severity": "high", "evidence": told[text]}
        for row, turn, text in users.select("row", "turn", "text").iter_rows()
        if text in told
    )


def is_distinctive(text: str) -> bool:
    """Whether a question has words enough to be recognised by a part of it: three, two of them content words."""
    return len(words(text)) >= SHINGLE_WORDS and len(set(content_words(text))) >= _MIN_CONTENT_WORDS


def last_user_turn(chat: Sequence[Mapping[str, str]]) -> str:
    """The text of a chat's last user turn; empty when there is none."""
    return next((m["content"] for m in reversed(chat) if m["role"] == "user"), "")
