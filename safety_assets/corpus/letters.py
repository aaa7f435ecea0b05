"""How letters follow one another, learned from the corpus itself: which texts are written in no language it has.

Pairs of letters a to z are counted, 27 times 27 of them with the space. A text's figure is the mean log-probability of
its pairs; ciphers and random strings lie far under the rest of the corpus whatever language that is in. Texts in other
scripts have no letters to judge and are left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

SPACE = 26
WINDOW = 80
"""Symbols of the stretch of a text that is judged beside the whole."""

_SYMBOLS = 27
_BLOCK = 1 << 20
_SAMPLE = 2000


def _codes() -> np.ndarray:
    codes = np.full(256, SPACE, dtype=np.uint8)
    for place, letter in enumerate(b"abcdefghijklmnopqrstuvwxyz"):
        codes[letter] = codes[letter - 32] = place
    return codes


_CODES = _codes()


@dataclass(frozen=True)
class Judged:
    """What is said of some texts, an entry per text.

    Args:
        mean: mean log-probability of the pairs that have a letter, 0 without any.
        lowest: the same of the worst stretch of WINDOW symbols; of a shorter text that of the whole.
        letters: letters a to z.
    """

    mean: np.ndarray
    lowest: np.ndarray
    letters: np.ndarray


class Letters:
    """Counts of pairs of letters, and what they say of a text."""

    def __init__(self) -> None:
        self._counts = np.zeros((_SYMBOLS, _SYMBOLS), dtype=np.int64)
        self._table: np.ndarray | None = None

    def count(self, texts: pl.Series) -> None:
        """Add the pairs of some texts, of many those of two thousand drawn by a fixed seed."""
        for codes, _ in _coded(texts.sample(min(len(texts), _SAMPLE), seed=0)):
            pairs = codes[:-1].astype(np.int64) * _SYMBOLS + codes[1:]
            self._counts += np.bincount(pairs, minlength=_SYMBOLS**2).reshape(_SYMBOLS, _SYMBOLS)
        self._table = None

    @property
    def usual(self) -> float:
        """Mean log-probability of a pair with a letter in what was counted."""
        counts = self._counts.copy()
        counts[SPACE, SPACE] = 0
        return float((self._logs() * counts).sum() / max(counts.sum(), 1))

    def mean(self, text: str) -> float:
        """Mean log-probability of the pairs of one text that have a letter, -20 without any."""
        codes = _CODES[np.frombuffer(f" {text} ".encode(), dtype=np.uint8)]
        pairs = self._logs()[codes[:-1], codes[1:]]
        inside = (codes[:-1] != SPACE) | (codes[1:] != SPACE)
        return float(pairs[inside].mean()) if inside.any() else -20.0

    def means_moved(self, text: str) -> np.ndarray:
        """`mean` of a text with its letters moved on by 0 to 25 places in the alphabet (26,)."""
        codes = _CODES[np.frombuffer(f" {text} ".encode(), dtype=np.uint8)]
        places = np.arange(SPACE, dtype=np.uint8)[:, None]
        turned = np.where(codes != SPACE, (codes + places) % SPACE, SPACE)  # (places, symbols)
        inside = (codes[:-1] != SPACE) | (codes[1:] != SPACE)
        if not inside.any():
            return np.full(SPACE, -20.0)
        return np.asarray(self._logs()[turned[:, :-1], turned[:, 1:]][:, inside].mean(axis=1))

    def judge(self, texts: pl.Series) -> Judged:
        """What is said of many texts."""
        table = self._logs().astype(np.float32).ravel()
        table[-1] = 0  # a space after a space has nothing to judge
        parts = [_judged(codes, starts, table) for codes, starts in _coded(texts)]
        if not parts:
            return Judged(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
        return Judged(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _logs(self) -> np.ndarray:
        """Log-probability of a symbol after another (27, 27), one pair added everywhere."""
        if self._table is None:
            smoothed = self._counts + 1.0
            self._table = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
        return self._table


def _judged(codes: np.ndarray, starts: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pairs = codes[:-1].astype(np.uint16) * np.uint16(_SYMBOLS) + codes[1:]
    values = np.concatenate([[0.0], np.cumsum(table[pairs], dtype=np.float64)])
    judged, letters = _counted(pairs != _SYMBOLS**2 - 1), _counted(codes != SPACE)
    ends = np.append(starts[1:], len(codes) - 1)
    mean = (values[ends] - values[starts]) / np.maximum(judged[ends] - judged[starts], 1)
    spans = np.maximum(judged[WINDOW:] - judged[:-WINDOW], WINDOW // 2)
    windows = (values[WINDOW:] - values[:-WINDOW]).astype(np.float32) / spans.astype(np.float32)
    lowest = mean.copy()
    long = np.flatnonzero(ends - starts > WINDOW)
    bounds = np.stack([starts[long], ends[long] - WINDOW], axis=1).ravel()
    if len(long):
        lowest[long] = np.minimum.reduceat(np.append(windows, np.float32(0)), bounds)[::2]
    return mean, lowest, letters[ends] - letters[starts]


def _counted(flags: np.ndarray) -> np.ndarray:
    """How many are true before each place, and in all (flags + 1,)."""
    counts = np.zeros(len(flags) + 1, dtype=np.int32)
    np.cumsum(flags, out=counts[1:])
    return counts


def _coded(texts: pl.Series) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Symbols of some texts at a time, a space before each and behind all, and where each text starts."""
    ends, first = texts.str.len_bytes().cum_sum().to_numpy(), 0
    while first < len(texts):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _BLOCK, side="right")))
        part = texts.slice(first, last - first)
        buffer = np.frombuffer((" " + " ".join(part.to_list()) + " ").encode(), dtype=np.uint8)
        lengths = part.str.len_bytes().to_numpy().astype(np.int64) + 1
        yield _CODES[buffer], np.cumsum(lengths) - lengths
        first = last
