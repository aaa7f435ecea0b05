"""Texts as unit TF-IDF vectors of their content words: a text space that no model had a part in."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from safety_assets.corpus.words import content_words


class TextSpace:
    """A vocabulary with its inverse document frequencies, learned once; other words count for nothing.

    Args:
        texts: what the vocabulary is learned from.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        documents = Counter[str]()
        count = 0
        for text in texts:
            documents.update(set(content_words(text)))
            count += 1
        self._columns = {word: column for column, word in enumerate(sorted(documents))}
        self._idf = np.array([math.log((1 + count) / (1 + documents[word])) + 1 for word in sorted(documents)])

    def vectors(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Unit vectors, one row per text; a text without a known word is all zero.  # (texts, words)"""
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            for word, count in Counter(content_words(text)).items():
                column = self._columns.get(word)
                if column is not None:
                    rows.append(row)
                    columns.append(column)
                    values.append((1 + math.log(count)) * self._idf[column])
        shape = (len(texts), len(self._columns))
        return _unit(sparse.csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float64))


def nearest(vectors: sparse.csr_matrix, others: sparse.csr_matrix) -> np.ndarray:
    """Cosine of each unit vector to the nearest of the others, in [0, 1] for TF-IDF; 0 where there are none."""
    if not others.shape[0]:
        return np.zeros(vectors.shape[0])
    return np.asarray((vectors @ others.T).max(axis=1).todense()).ravel()


def _unit(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1.0
    return sparse.diags_array(1 / lengths).tocsr() @ matrix
