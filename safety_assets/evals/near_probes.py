"""Probes that ask nearly the same: Jaccard similarity of the word 3-shingles of the whole chat.

All pairs at or above NEAR are found, by prefix filtering (Bayardo, Ma and Srikant 2007): with shingles in order of
rarity, two sets that similar share one among the first few.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil

NEAR = 0.9
"""Similarity from which two probes count as the same question."""

Chat = Sequence[dict[str, str]]
Shingle = tuple[str, ...]


def near_pairs(chats: Sequence[Chat]) -> list[tuple[int, int]]:
    """Places of every two chats that ask nearly the same, the smaller first, sorted."""
    sets = [_shingles(chat) for chat in chats]
    often = Counter(gram for grams in sets for gram in grams)
    places: dict[Shingle, list[int]] = defaultdict(list)
    found: set[tuple[int, int]] = set()
    for i, grams in enumerate(sets):
        prefix = sorted(grams, key=lambda gram: (often[gram], gram))[: len(grams) - ceil(NEAR * len(grams)) + 1]
        candidates = {j for gram in prefix for j in places[gram]}
        found.update((j, i) for j in candidates if _jaccard(sets[j], grams) >= NEAR)
        for gram in prefix:
            places[gram].append(i)
    return sorted(found)


def _shingles(chat: Chat) -> frozenset[Shingle]:
    words = re.findall(r"\w+|[^\w\s]", " ".join(turn["content"] for turn in chat).lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset([tuple(words)])


def _jaccard(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    return len(a & b) / len(a | b)
