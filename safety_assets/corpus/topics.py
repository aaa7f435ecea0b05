"""Which policy category a request touches: TF-IDF centroids learned from the pairs' user turns, and a model.

The refusal pairs give one centroid per category; look-alikes and anchors give the harmless one. Words the pairs never
use are not seen, so a learned category is only as wide as its pairs; categories of any name can be learned. The model
(`reading.requests`) knows ten categories by name, whatever the pairs hold.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from safety_assets.corpus.words import content_words
from safety_assets.reading.requests import touched

_MIN_COSINE = 0.2
_OWN_SHARE = 0.5
"""Of the mean cosine between a category's pairs and their centroid. The more varied the pairs, the smaller it is: the
limit is this share of it, at most 0.2, or a category of varied pairs would be touched by nothing."""
_HARMLESS = ""


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
        self._centroids = {name: self._centroid(group) for name, group in texts.items()}
        self._least = {name: min(_MIN_COSINE, _OWN_SHARE * self._likeness(name, texts[name])) for name in self._names}

    def category(self, text: str) -> str | None:
        """The category that a user turn touches, or None when it is nearer to the harmless pairs or to nothing."""
        vector = self._vector(content_words(text))
        if vector is None or not self._names:
            return None
        cosines = {name: float(centroid @ vector) for name, centroid in self._centroids.items()}
        best = max(self._names, key=lambda name: cosines[name])
        return best if cosines[best] >= self._least[best] and cosines[best] > cosines.get(_HARMLESS, 0.0) else None

    def touched(self, texts: Sequence[str]) -> list[frozenset[str]]:
        """The categories that each user turn touches: the one learned from the pairs, the model's, both or none."""
        known = touched(texts)
        both = ((self.category(text) or "", one.category) for text, one in zip(texts, known, strict=True))
        return [frozenset(name for name in names if name) for names in both]

    def _vector(self, document: Sequence[str]) -> np.ndarray | None:
        """Unit TF-IDF vector (words,), scaled down by the share of the words that is known; None when none is."""
        known = Counter(self._columns[word] for word in document if word in self._columns)
        if not known:
            return None
        vector = np.zeros(len(self._columns))
        vector[list(known)] = list(known.values())
        vector *= self._idf
        norm = float(np.linalg.norm(vector))
        return vector / norm * math.sqrt(known.total() / len(document)) if norm else None

    def _likeness(self, name: str, documents: Sequence[Sequence[str]]) -> float:
        """Mean cosine of a category's pairs to its centroid; those without a word that tells count as alike."""
        vectors = [v for v in map(self._vector, documents) if v is not None]
        return float(np.mean([self._centroids[name] @ v for v in vectors])) if vectors else 1.0

    def _centroid(self, documents: Sequence[Sequence[str]]) -> np.ndarray:
        vectors = [v for v in map(self._vector, documents) if v is not None]
        if not vectors:
            return np.zeros(len(self._columns))
        mean = np.mean(vectors, axis=0)
        return mean / (float(np.linalg.norm(mean)) or 1.0)


def _user_text(messages: Sequence[Mapping[str, str]]) -> str:
    return " ".join(m["content"] for m in messages if m["role"] == "user")
