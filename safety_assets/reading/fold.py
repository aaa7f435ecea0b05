"""A text as rules and models read it: lower case, straight quotes, every character still in its place."""

import re

_STRAIGHT = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[.!?:;,]")


def fold(text: str) -> str:
    """The text in lower case with straight quotes; a place in it is the same place in the text."""
    straight = text.translate(_STRAIGHT)
    low = straight.lower()
    return low if len(low) == len(text) else "".join(c if len(c.lower()) != 1 else c.lower() for c in straight)


def tokens(folded: str) -> list[str]:
    """Words, and marks that end or join clauses, in order."""
    return _WORD.findall(folded)
