"""Words and word shingles: how texts are compared, without case, punctuation or spelling of characters."""

import re
import unicodedata

SHINGLE_WORDS = 3

# Scripts written without spaces are cut into characters, so that a sentence is not one word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:['\u2019][^\W_{_UNSPACED}]+)*")

STOP_WORDS = frozenset(
    _WORD.findall(
        """a about after all also am an and any are as at be because been before but by can can't could did do does
        don't each for from get give had has have he her him his how i i'd i'll i'm i've if in into is it
        it's its just kindly let like make may me might more most my no not of on one or our out please
        shall she should show so some such tell than that the their them then there these they this those to
        too up us use using very was way we were what what's when where which who will with would you your
        explain help need want best write guide steps teach step"""
    )
)
"""Words that say how something is asked, not what."""


def words(text: str) -> list[str]:
    """Lower-case words of a text, compatibility characters folded; an apostrophe stays inside its word."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'"))


def normalise(text: str) -> str:
    """The words of a text joined by single spaces."""
    return " ".join(words(text))


def content_words(text: str) -> list[str]:
    """Words of a text that say what it is about, in order."""
    return [word for word in words(text) if word not in STOP_WORDS]


def shingles(text: str) -> set[str]:
    """All runs of three words; a shorter text is one shingle, an empty one has none."""
    found = words(text)
    if len(found) < SHINGLE_WORDS:
        return {" ".join(found)} if found else set()
    return {" ".join(found[i : i + SHINGLE_WORDS]) for i in range(len(found) - SHINGLE_WORDS + 1)}
