"""Contamination: a probe or task question that stands, verbatim or nearly so, in a user turn of the corpus.

Questions share openings ("How do I ..."), so a question counts only as a whole: enough of its 3-word shingles must
be in the turn and with them nearly all of its content words. An inverted index of shingles is searched once per
distinct turn; pairs are never compared one by one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from safety_assets.corpus.words import SHINGLE_WORDS, content_words, normalise, shingles, words

_CONTENT_SHARE = 0.85
_MIN_CONTENT_WORDS = 2


@dataclass(frozen=True)
class Overlap:
    """A question found in a text.

    Args:
        question: identifier of the probe or task item.
        share: share of the question's shingles that the text holds, 0 to 1.
        verbatim: the whole text is the question, but for case and punctuation.
    """

    question: str
    share: float
    verbatim: bool


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
        self._ids: list[str] = []
        self._content: list[frozenset[str]] = []
        sizes: list[int] = []
        postings: dict[str, list[int]] = defaultdict(list)
        for name, text in questions.items():
            whole = normalise(text)
            if not whole or self._whole.setdefault(whole, name) != name:
                continue
            if not is_distinctive(text):
                continue
            content = frozenset(content_words(text))
            for shingle in shingles(text):
                postings[shingle].append(len(self._ids))
            self._ids.append(name)
            self._content.append(content)
            sizes.append(len(shingles(text)))
        self._sizes = np.array(sizes, dtype=np.int64)
        self._postings = {s: np.array(p, dtype=np.int64) for s, p in postings.items()}

    def repeated_whole(self, text: str) -> Overlap | None:
        """The question that the whole text repeats, if any."""
        name = self._whole.get(normalise(text))
        return Overlap(name, 1.0, True) if name is not None else None

    def repeated_in(self, text: str) -> Overlap | None:
        """The question that a text repeats most fully, if any."""
        whole = self.repeated_whole(text)
        hits = [self._postings[s] for s in shingles(text) if s in self._postings]
        if whole is not None or not hits:
            return whole
        shares = np.bincount(np.concatenate(hits), minlength=len(self._ids)) / self._sizes
        candidates = np.flatnonzero(shares >= self._threshold - 1e-9)
        present = frozenset(content_words(text)) if len(candidates) else frozenset()
        near = [(float(shares[q]), -int(q)) for q in candidates if self._content_found(int(q), present)]
        if not near:
            return None
        share, position = max(near)
        return Overlap(self._ids[-position], share, False)

    def _content_found(self, question: int, present: frozenset[str]) -> bool:
        content = self._content[question]
        return len(content & present) >= _CONTENT_SHARE * len(content)


def is_distinctive(text: str) -> bool:
    """Whether a question has words enough to be recognised by a part of it: three, two of them content words."""
    return len(words(text)) >= SHINGLE_WORDS and len(set(content_words(text))) >= _MIN_CONTENT_WORDS


def last_user_turn(chat: Sequence[Mapping[str, str]]) -> str:
    """The text of a chat's last user turn; empty when there is none."""
    return next((m["content"] for m in reversed(chat) if m["role"] == "user"), "")
