"""A text as rules and models read it: lower case, straight quotes, every character still in its place."""

import re

_STRAIGHT = (("\u2019", "'"), ("\u2018", "'"), ("\u201c", '"'), ("\u201d", '"'))
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[.!?:;,]")


MARKS = ".!?:;,"
_KEPT = bytes(c if chr(c).isalnum() or chr(c) in f"{MARKS}'-" else 32 for c in range(128)) + bytes(128)


def fold(text: str) -> str:
    """The text in lower case with straight quotes; a place in it is the same place in the text."""
    if text.isascii():
        return text.lower()
    straight = text
    for curly, plain in _STRAIGHT:
        straight = straight.replace(curly, plain)
    low = straight.lower()
    return low if len(low) == len(text) else "".join(c if len(c.lower()) != 1 else c.lower() for c in straight)


def tokens(folded: str) -> list[str]:
    """Words, and marks that end or join clauses, in order."""
    if not folded.isascii():
        return _WORD.findall(folded)
    spaced = folded.encode("ascii").translate(_KEPT).decode("ascii")
    for mark in MARKS:
        spaced = spaced.replace(mark, f" {mark} ")
    found: list[str] = []
    for word in spaced.split():
        if "'" in word or "-" in word:
            found += _WORD.findall(word)
        else:
            found.append(word)
    return found
