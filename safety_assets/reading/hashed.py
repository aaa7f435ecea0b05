"""Words of many texts at once, as hashes: what `fold.tokens` finds, single and in rows, and no word is ever cut out.

A feature is named by its words, with spaces between them; its hash is that of its words in their order (`of_names`).
So features are looked up in a model without being spelled out. Texts of ASCII are read as they are; others are cut
into words first, one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from safety_assets.hashes import Hashed, hash_strings, joined, mixed, powers, sums_of_runs
from safety_assets.reading.fold import MARKS, tokens

WORD, JOINS, MARK = 1, 2, 3
"""A letter; what stands inside a word between two letters; what is a word by itself."""


def _kinds() -> np.ndarray:
    """What each byte is; bytes over 127 stand in words, since such texts are cut first."""
    kind = np.zeros(256, dtype=np.uint8)
    for byte in range(256):
        kind[byte] = WORD if byte > 127 or chr(byte).isalnum() else 0
    kind[[ord(c) for c in "'-"]] = JOINS
    kind[[ord(c) for c in MARKS]] = MARK
    return kind


KINDS = _kinds()
"""Of each byte, as `fold.tokens` cuts words."""
BEGINNING = np.uint64(hash_strings(["^"])[0])
"""The hash of what stands before the first word of a text."""


@dataclass(frozen=True)
class Found:
    """Where the words of some texts stand.

    Args:
        buffer: uint8 (bytes,), all texts.
        begins, ends: first byte of each word or mark, and one past its last (words,).
        starts: int64 (texts + 1,); the words of text t are those from `starts[t]` to `starts[t + 1]`.
        as_written: whether each text was not cut before (texts,).
    """

    buffer: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    starts: np.ndarray
    as_written: np.ndarray

    def hashed(self) -> Hashed:
        """A hash per word."""
        return Hashed(mixed(sums_of_runs(self.buffer, self.begins, self.ends)), self.starts)


def find(
    folded: Sequence[str],
    most: int | None = None,
    cut: Callable[[str], list[str]] = tokens,
    kinds: np.ndarray = KINDS,
) -> Found:
    """Words and marks of texts that were folded (`fold.fold`).

    Args:
        most: so many of each text from its first on; all of them by default.
        cut: how a text that is not ASCII is cut into words.
        kinds: what each byte is: WORD, JOINS, MARK or nothing (256,).
    """
    plain = np.array([text.isascii() for text in folded], dtype=bool)
    read = [text if ascii else " ".join(cut(text)) for text, ascii in zip(folded, plain, strict=True)]
    encoded = [text.encode() for text in read]
    buffer = np.frombuffer(b"\n" + b"\n".join(encoded) + b"\n\n", dtype=np.uint8)
    begins, ends = _bounds(kinds[buffer])
    closes = np.cumsum([len(text) + 1 for text in encoded], dtype=np.int64)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.searchsorted(begins, closes)])
    if most is not None:
        place = np.arange(len(begins)) - np.repeat(starts[:-1], np.diff(starts))
        kept = place < most
        begins, ends = begins[kept], ends[kept]
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.minimum(np.diff(starts), most))])
    return Found(buffer, begins, ends, starts, plain)


def _bounds(kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where words and marks begin and end."""
    letter = kind == WORD
    word = letter.copy()
    word[1:-1] |= (kind[1:-1] == JOINS) & letter[:-2] & letter[2:]
    mark = kind == MARK
    begins, ends = mark.copy(), mark
    begins[1:] |= word[1:] & ~word[:-1]
    ends[:-1] |= word[:-1] & ~word[1:]
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1


def stems(found: Found) -> Hashed:
    """A hash per word without the s of a plural or the 's of a possessive (`requests.stem`)."""
    buffer, begins, ends = found.buffer, found.begins, found.ends.copy()
    open_to = np.repeat(found.as_written, np.diff(found.starts))

    def ends_in(letters: str, where: np.ndarray) -> np.ndarray:
        last = [buffer[ends - len(letters) + i] == ord(letter) for i, letter in enumerate(letters)]
        return np.asarray(np.logical_and.reduce([where, ends - begins >= len(letters), *last]))

    ends -= 2 * ends_in("'s", open_to)
    length = ends - begins
    plural = ends_in("s", open_to & (length > 3))
    for kept in ("ss", "us", "is"):
        plural &= ~ends_in(kept, plural)
    to_y = ends_in("ies", plural & (length > 4))
    ends -= np.where(to_y, 3, plural)
    sums = sums_of_runs(buffer, begins, ends)
    sums += np.where(to_y, np.uint64(ord("y")) * powers(len(buffer))[0][ends - begins], np.uint64(0))
    return Hashed(mixed(sums), found.starts)


@dataclass(frozen=True)
class Listed:
    """Features of some texts, in any order.

    Args:
        values: hash of each feature (features,).
        owners: the text of each (features,).
    """

    values: np.ndarray
    owners: np.ndarray


def listed(*parts: Listed) -> Listed:
    """Several lists as one."""
    return Listed(np.concatenate([part.values for part in parts]), np.concatenate([part.owners for part in parts]))


def singly(found: Hashed) -> Listed:
    """Each word."""
    return Listed(found.values, found.owners)


def in_rows(found: Hashed, length: int) -> Listed:
    """All rows of so many words, 2 or more."""
    owners, values = found.owners, found.values
    for step in range(1, length):
        values = joined(values[:-1], found.values[step:])
    behind = len(owners) - length + 1
    whole = owners[: max(behind, 0)] == owners[length - 1 :]
    return Listed(values[whole], owners[: max(behind, 0)][whole])


def at_the_beginning(found: Hashed, most: int, before: np.uint64 = BEGINNING) -> Listed:
    """Of the first words of each text: "^ word word" for each behind the first, and the first behind `before`."""
    owners = found.owners
    place = np.arange(len(owners)) - found.starts[owners]
    first = np.flatnonzero(place == 0)
    later = np.flatnonzero((place > 0) & (place < most))
    opening = joined(np.full(len(first), before), found.values[first])
    behind = joined(joined(np.full(len(later), BEGINNING), found.values[later - 1]), found.values[later])
    return Listed(np.concatenate([opening, behind]), np.concatenate([owners[first], owners[later]]))


def of_names(names: Sequence[str]) -> np.ndarray:
    """The hash of each feature, from its name (names,)."""
    words = [name.split(" ") for name in names]
    flat = hash_strings([word for name in words for word in name])
    counts = np.array([len(name) for name in words], dtype=np.int64)
    first = np.cumsum(counts) - counts
    found = flat[first] if len(first) else flat
    for step in range(1, int(counts.max(initial=1))):
        longer = np.flatnonzero(counts > step)
        found[longer] = joined(found[longer], flat[first[longer] + step])
    return found
