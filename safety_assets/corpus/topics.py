"""Which policy category a request touches, and whether it asks for harm: from the pairs, and from a model.

The refusal pairs give one TF-IDF centroid per category; look-alikes and anchors give the harmless one. Words the pairs
never use are not seen, so a learned category is only as wide as its pairs; categories of any name can be learned. The
model (`reading.requests`) knows ten categories by name, whatever the pairs hold.

To touch a category is not to ask for harm. `python -m benchmarks.harmful_requests` says how often requests of published
harmful and harmless sets are told to ask for it.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from safety_assets.corpus.words import content_words
from safety_assets.reading.requests import ADVICE, CATEGORIES, Touched, touched

_MIN_COSINE = 0.2
_OWN_SHARE = 0.5
"""Of the mean cosine between a category's pairs and their centroid. The more varied the pairs, the smaller it is: the
limit is this share of it, at most 0.2, or a category of varied pairs would be touched by nothing."""
_HARMLESS = ""
_AGREES = 0.9
"""Share of the model on all categories together at which it agrees with the pairs that a request asks for harm."""
_SURE = 0.95
"""Share at which it says so alone: of published harmless rows it then says so of 2 to 13 in a thousand."""
_KEPT = 30_000  # requests whose reading is kept: those of a shard, which several detectors ask about
_BATCH = 2_048  # requests read together


class _Asked(NamedTuple):
    """Of a request: the category learned from the pairs, and what the model says."""

    learned: str | None
    known: Touched

    @property
    def touched(self) -> frozenset[str]:
        return frozenset(filter(None, (self.learned, self.known.category)))

    @property
    def harmful(self) -> str | None:
        if self.learned and (self.learned not in CATEGORIES or self.known.share >= _AGREES):
            return self.learned
        sure = self.known.share >= _SURE and self.known.likeliest != ADVICE
        return self.known.likeliest if sure else None


class Topics:
    """Recognises the policy category of a user turn.

    Args:
        pairs: PAIRS; without refusal pairs every turn is harmless.
    """

    def __init__(self, pairs: pl.DataFrame) -> None:
        texts: dict[str, list[list[str]]] = {}
        for pair in pairs.select("messages", "kind", "category").iter_rows(named=True):
            name = pair["category"] if pair["kind"] == "refusal" else _HARMLESS
            texts.setdefault(name, []).append(content_words(_user_text(pair["messages"])))
        documents = [document for group in texts.values() for document in group]
        counts = Counter(word for document in documents for word in set(document))
        self._columns = {word: i for i, word in enumerate(counts)}
        self._idf = np.array([math.log((1 + len(documents)) / n) for n in counts.values()])
        self._names = [name for name in texts if name != _HARMLESS]
        centroids = {name: self._centroid(texts.get(name, [])) for name in (*self._names, _HARMLESS)}
        self._centroids = np.stack([*centroids.values()], axis=1)  # (words, categories), the harmless one last
        self._least = np.array([self._limit(texts[name], centroids[name]) for name in self._names])
        self._asked: dict[str, _Asked] = {}

    def category(self, text: str) -> str | None:
        """The category learned from the pairs that a user turn touches, or None when it is nearer to the harmless pairs
        or to nothing."""
        if not self._names:
            return None
        document = content_words(text)
        columns, weights = self._weights(document)
        if not len(columns):
            return None
        cosines = weights @ self._centroids[columns]
        best = int(cosines[:-1].argmax())
        return self._names[best] if cosines[best] >= self._least[best] and cosines[best] > cosines[-1] else None

    def touched(self, texts: Sequence[str]) -> list[frozenset[str]]:
        """The categories that each user turn touches: the one learned from the pairs, the model's, both or none."""
        return [asked.touched for asked in self._read(texts)]

    def harmful(self, texts: Sequence[str]) -> list[str | None]:
        """The category in which each user turn asks for harm: what pairs and model agree on, a learned category that
        the model does not know, or what the model alone is sure of; None when it asks for none."""
        return [asked.harmful for asked in self._read(texts)]

    def _read(self, texts: Sequence[str]) -> list[_Asked]:
        """Each request once; the last ones are kept."""
        found = {text: self._asked[text] for text in texts if text in self._asked}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        for start in range(0, len(new), _BATCH):
            part = new[start : start + _BATCH]
            known = zip(part, touched(part), strict=True)
            found |= {text: _Asked(self.category(text), one) for text, one in known}
        if len(self._asked) + len(new) > _KEPT:
            self._asked.clear()
        self._asked |= {text: found[text] for text in new[-_KEPT:]}
        return [found[text] for text in texts]

    def _weights(self, document: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Columns and values of the unit TF-IDF vector, scaled down by the share of the words that is known."""
        known = Counter(self._columns[word] for word in document if word in self._columns)
        columns = np.fromiter(known, np.int64, len(known))
        weights = np.fromiter(known.values(), float, len(known)) * self._idf[columns]
        norm = math.sqrt(float(weights @ weights))
        if not norm:
            return columns[:0], weights[:0]
        return columns, weights * (math.sqrt(known.total() / len(document)) / norm)

    def _vector(self, document: Sequence[str]) -> np.ndarray | None:
        """The same, (words,); None when no word is known that tells."""
        columns, weights = self._weights(document)
        if not len(columns):
            return None
        vector = np.zeros(len(self._columns))
        vector[columns] = weights
        return vector

    def _limit(self, documents: Sequence[Sequence[str]], centroid: np.ndarray) -> float:
        """The least cosine of a request that touches a category: a share of the mean cosine between its pairs and their
        centroid; those without a word that tells count as alike."""
        vectors = [v for v in map(self._vector, documents) if v is not None]
        return min(_MIN_COSINE, _OWN_SHARE * (float(np.mean([centroid @ v for v in vectors])) if vectors else 1.0))

    def _centroid(self, documents: Sequence[Sequence[str]]) -> np.ndarray:
        vectors = [v for v in map(self._vector, documents) if v is not None]
        if not vectors:
            return np.zeros(len(self._columns))
        mean = np.mean(vectors, axis=0)
        return mean / (float(np.linalg.norm(mean)) or 1.0)


def _user_text(messages: Sequence[Mapping[str, str]]) -> str:
    return " ".join(m["content"] for m in messages if m["role"] == "user")
