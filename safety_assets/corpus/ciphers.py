"""Texts whose letters were moved, turned round or replaced by digits, and texts whose letters mean nothing.

What the corpus is usually written in is learned from it (`letters`). A stretch that lies far under it is read with its
letters moved by 1 to 25 places and from the end; where that reads as usual, it is a cipher. Digits in the place of
letters are put back the same way. What reads as nothing at all is reported too.
"""

import re
import string

import numpy as np
import polars as pl

from safety_assets.corpus.detect import seen
from safety_assets.corpus.encoded import FINDING
from safety_assets.corpus.letters import Letters

UNUSUAL = 1.0
"""Nats per pair of letters under the usual from which on a stretch is read as a cipher."""

MEANINGLESS = 2.3
"""Nats under the usual from which on a stretch is taken for no language."""

_AS_USUAL = 0.6
_MIN_LETTERS = 24
_MIN_MEANINGLESS = 60
_STRETCH = re.compile(r"[^\n\"\u201c\u201d:;.!?]{20,}")
_LETTER = re.compile("[A-Za-z]")
_DIGITS = str.maketrans("013457@$", "oieastas")
_WITH_DIGITS = re.compile(
    r"\b[a-z]+[013457@$]+[a-z013457@$]*\b|\b[013457@$]{1,2}[a-z][a-z013457@$]+\b|\b[a-z][013457@$]\b"
)
_MIN_WORDS_WITH_DIGITS = 4
_SHARE_WITH_DIGITS = 0.2
_SHOWN = 60


class Ciphers:
    """Learns how a corpus is written, then finds `encoded_text`, severity medium. A `detect.Learner`."""

    def __init__(self) -> None:
        self._letters = Letters()

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard."""
        self._letters.count(turns["text"])

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard."""
        judged = self._letters.judge(turns["text"])
        odd = (judged.lowest < self._letters.usual - UNUSUAL) & (judged.letters >= _MIN_LETTERS)
        digits = turns["text"].str.count_matches(r"(?i)[a-z][013457@$]+[a-z]").to_numpy() >= 2
        likely = turns.filter(pl.Series(odd | digits)).select("row", "turn", "text")
        lowest = judged.lowest[odd | digits].tolist()
        return seen(
            {"row": row, "turn": turn, "finding": FINDING, "severity": "medium", "evidence": reason}
            for (row, turn, text), low in zip(likely.iter_rows(), lowest, strict=True)
            if (reason := self.reason(text, low)) is not None
        )

    def reason(self, text: str, lowest: float) -> str | None:
        """What a text is written in, in words; None where it is written as usual.

        Args:
            lowest: mean log-probability of its worst stretch.
        """
        return self._moved(text) or self._with_digits(text) or self._meaningless(text, lowest)

    def _moved(self, text: str) -> str | None:
        usual = self._letters.usual
        for stretch in _STRETCH.findall(text):
            if len(_LETTER.findall(stretch)) < _MIN_LETTERS:
                continue
            means = self._letters.means_moved(stretch)
            if means[0] > usual - UNUSUAL * 0.8:
                continue
            for places in np.flatnonzero(means[1:] >= usual - _AS_USUAL)[:1] + 1:
                read = moved(stretch, int(places)).strip()
                return f"letters moved by {26 - places} places; it reads {read!r:.{_SHOWN}}"
            if self._letters.mean(stretch[::-1]) >= usual - _AS_USUAL:
                return f"written from the end; it reads {stretch[::-1].strip()!r:.{_SHOWN}}"
        return None

    def _with_digits(self, text: str) -> str | None:
        lower = text.casefold()
        found = _WITH_DIGITS.findall(lower)
        if len(found) < max(_MIN_WORDS_WITH_DIGITS, _SHARE_WITH_DIGITS * len(lower.split())):
            return None
        read = " ".join(found).translate(_DIGITS)
        if self._letters.mean(read) < self._letters.usual - _AS_USUAL:
            return None
        return f"{len(found)} words with digits in place of letters; they read {read!r:.{_SHOWN}}"

    def _meaningless(self, text: str, lowest: float) -> str | None:
        letters = len(_LETTER.findall(text))
        under = self._letters.usual - lowest
        if letters < _MIN_MEANINGLESS or under < MEANINGLESS:
            return None
        return f"its letters follow one another as in no text of the corpus, {under:.1f} nats a pair under the usual"


def moved(text: str, places: int) -> str:
    """A text with its letters a to z moved so many places on in the alphabet."""
    small, large = string.ascii_lowercase, string.ascii_uppercase
    turned = small[places:] + small[:places] + large[places:] + large[:places]
    return text.translate(str.maketrans(small + large, turned))
