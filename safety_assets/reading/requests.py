"""Which policy category a request touches: words that name one, weighed by a small linear model with all the others.

The categories are the model's own; a project that names others learns them from its pairs (`corpus.topics`).
`measured` says how it did on published requests.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from safety_assets.hashes import HashSet
from safety_assets.reading.fold import fold, tokens
from safety_assets.reading.hashed import Listed, at_the_beginning, find, in_rows, listed, of_names, singly, stems
from safety_assets.reading.lexicon import LEXICON
from safety_assets.reading.linear import Features, Linear, load

CATEGORIES = (
    "cyber", "fraud", "weapons", "drugs", "self_harm", "hate", "sexual_content", "privacy", "misinformation",
    "regulated_advice",
)  # fmt: skip
"""Weapons stands for violence, too; hate for every contempt of people; regulated advice for medicine, law and money."""

ADVICE = "regulated_advice"
"""The category whose requests are seldom harm: to answer them is a matter of care."""

NONE = "none"
SHIPPED = Path(__file__).resolve().parent / "requests.json"
MEASURED = Path(__file__).resolve().parent / "requests_measured.json"
TOUCHES = 0.65
"""Share of all categories together from which a request touches the likeliest of them."""

_KNOWN = frozenset(LEXICON)
_HEADS = frozenset(word.rpartition(" ")[0] for word in LEXICON if word.count(" ") == 2)  # of three words the first two

READ = 900
"""Characters of a request that are read from its beginning, and as many from its end when it is longer."""


class Touched(NamedTuple):
    """What a request touches.

    Args:
        category: empty for none.
        confidence: share of the model on it, or on none, 0..1.
        likeliest: of the categories, touched or not.
        share: of the model on all categories together, 0..1.
    """

    category: str
    confidence: float
    likeliest: str
    share: float


@cache
def shipped() -> Linear:
    """The model that comes with the package."""
    return load(SHIPPED)


@cache
def measured() -> dict[str, Any]:
    """How the shipped model did on published requests (`benchmarks.policy_categories` wrote it)."""
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def fingerprint() -> str:
    """Digest of what the model says of the requests that it was fitted to: another one is another model."""
    from safety_assets.reading.written import requests

    said = [f"{one.category} {one.confidence:.2f}" for one in touched([one.text for one in requests()])]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def touched(requests: Sequence[str], model: Linear | None = None) -> list[Touched]:
    """The category that each request touches."""
    used = model or shipped()
    if not requests:
        return []
    shares = used.shares(used.scores_of(*request_hashes(requests)))
    none = used.classes.index(NONE)
    others = np.delete(shares, none, axis=1).argmax(axis=1)
    best = others + (others >= none)
    return [_touched(used.classes[b], float(row[b]), float(row[none])) for b, row in zip(best, shares, strict=True)]


def _touched(likeliest: str, share: float, none: float) -> Touched:
    if 1 - none >= TOUCHES:
        return Touched(likeliest, share, likeliest, 1 - none)
    return Touched("", none, likeliest, 1 - none)


def request_features(request: str) -> Features:
    """Words of a request without their inflection, in pairs too, and the categories that one of them names, spelled
    out: what the model is fitted to."""
    words = _stems(_read(request))
    pairs = [*map(" ".join, pairwise(words))]
    said = _KNOWN.intersection(words).union(_KNOWN.intersection(pairs))
    if not _HEADS.isdisjoint(pairs):
        said |= _KNOWN.intersection(map(" ".join, zip(words, words[1:], words[2:], strict=False)))
    named = sorted({LEXICON[word] for word in said})
    return Features([f"names {name}" for name in named], [*words, *pairs, *_opening(words)])


def request_hashes(requests: Sequence[str]) -> tuple[Listed, list[list[str]]]:
    """The same words, hashed, and the same names of categories: for many requests."""
    words = stems(find([_read(request) for request in requests], cut=_stems))
    alone, pairs = singly(words), in_rows(words, 2)
    return listed(alone, pairs, at_the_beginning(words, 2)), _named(len(requests), alone, pairs, in_rows(words, 3))


def _named(number: int, *rows: Listed) -> list[list[str]]:
    """The categories that words in a row name, in each of so many texts."""
    names, hashes, categories = _lexicon()
    found: list[set[int]] = [set() for _ in range(number)]
    for part in rows:
        hit, places = hashes.hits(part.values)
        for text, category in zip(part.owners[hit].tolist(), categories[places].tolist(), strict=True):
            found[text].add(category)
    return [[names[category] for category in sorted(own)] for own in found]


@cache
def _lexicon() -> tuple[list[str], HashSet, np.ndarray]:
    """Signs of the categories in their order, the hashes of the lexicon, and the category of each hash."""
    names = sorted(set(LEXICON.values()))
    hashes = of_names(list(LEXICON))
    places = np.array([names.index(name) for name in LEXICON.values()])
    return [f"names {name}" for name in names], HashSet(hashes), places[np.argsort(hashes)]


def _read(request: str) -> str:
    """What is read of a request, folded."""
    return fold(request if len(request) <= 2 * READ else f"{request[:READ]} {request[-READ:]}")


def _stems(folded: str) -> list[str]:
    return [stem(word) for word in tokens(folded)]


def _opening(words: Sequence[str]) -> list[str]:
    return [f"^ {words[0]}", f"^ {' '.join(words[:2])}"] if words else []


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without the s of a plural or the 's of a possessive."""
    word = word.removesuffix("'s")
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    return word
