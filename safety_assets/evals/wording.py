"""The wording of an answer: its plain words, what it speaks about, what it decides."""

import re
import unicodedata
from collections.abc import Sequence

STOP_WORDS = frozenset((
    "a", "an", "the", "some", "my", "your", "of", "to", "on", "in", "and", "or", "for", "with", "about", "at", "by",
    "it", "its", "is", "be", "off",
))  # fmt: skip
STRAIGHT = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})


def normalise(text: str) -> str:
    """Lower case, straight quotes, no accents, no marks of emphasis, single spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.translate(STRAIGHT)) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)", "", plain).lower().split())


def spoken(text: str) -> str:
    """An answer without the reasoning before it (<think>...</think>); nothing when only reasoning was said."""
    before, mark, after = text.partition("</think>")
    if mark:
        return after.strip()
    return "" if before.lstrip().startswith("<think>") else text


def about(text: str, topic: str) -> bool:
    """Whether an answer names at least half of the topic's content words, in whatever inflection."""
    wanted = {_stem(w) for w in set(re.findall(r"\w+", topic.lower())) - STOP_WORDS}
    return not wanted or len(wanted & {_stem(w) for w in re.findall(r"\w+", text.lower())}) * 2 >= len(wanted)


def decision(text: str) -> str:
    """What a short answer (up to eight words) decides: yes, no or a number; an empty string when it decides nothing."""
    said = normalise(text)
    if len(said.split()) > 8:
        return ""
    found = re.search(r"\b(yes|no|\d+)\b", said)
    return found.group(1) if found else ""


def neutral(text: str, words: Sequence[str]) -> str:
    """An answer without the words in which the members of a pair differ."""
    said = normalise(text)
    for word in words:
        said = said.replace(word.lower(), "*")
    return said


def stands_in(word: str, said: str) -> bool:
    """Whole words only: '1' does not stand in '12'."""
    return re.search(rf"(?<!\w){re.escape(normalise(word).rstrip('.'))}(?!\w)", said) is not None


def _stem(word: str) -> str:
    """A word without its inflection, roughly; short words stay."""
    return re.sub(r"(ing|ed|es|s|e)$", "", word) if len(word) > 4 else word
