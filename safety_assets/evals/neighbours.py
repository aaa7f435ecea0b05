"""Which corpus rows are nearest to a text: cosine of TF-IDF vectors over words, sparse, without a model."""

import re
from collections.abc import Sequence

import numpy as np
from scipy import sparse

WORD = re.compile(r"\w+(?:'\w+)?")
BLOCK = 256
"""Texts compared at once: bounds the dense block of similarities to BLOCK x documents."""


def nearest(texts: Sequence[str], documents: Sequence[str], num: int = 3) -> list[list[tuple[int, float]]]:
    """The documents nearest to each text.

    Weights are (1 + log tf) * (log((1 + n) / (1 + df)) + 1), vectors have length 1, n and df count documents only
    (Salton and Buckley 1988). Words that no document holds are left out.

    Args:
        texts: what to look up.
        documents: where to look.
        num: how many at most for each text.

    Returns:
        For each text up to `num` (document index, cosine in 0..1], best first; documents without a common word are
        left out, ties go to the earlier document.
    """
    if not texts or not documents:
        return [[] for _ in texts]
    vocabulary: dict[str, int] = {}
    counts = _counts(documents, vocabulary, grow=True)
    idf = np.log((1 + len(documents)) / (1 + np.bincount(counts.indices, minlength=counts.shape[1]))) + 1
    against = _unit(counts, idf).T.tocsc()
    out: list[list[tuple[int, float]]] = []
    for start in range(0, len(texts), BLOCK):
        block = _unit(_counts(texts[start : start + BLOCK], vocabulary, grow=False), idf)
        out.extend(_best(row, num) for row in (block @ against).toarray())
    return out


def _counts(texts: Sequence[str], vocabulary: dict[str, int], *, grow: bool) -> sparse.csr_matrix:
    """Number of times each known word stands in each text, shape (texts, words)."""
    rows, columns = [], []
    for i, text in enumerate(texts):
        for word in WORD.findall(text.lower()):
            column = vocabulary.setdefault(word, len(vocabulary)) if grow else vocabulary.get(word)
            if column is not None:
                rows.append(i)
                columns.append(column)
    shape = (len(texts), max(1, len(vocabulary)))
    return sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()


def _unit(counts: sparse.csr_matrix, idf: np.ndarray) -> sparse.csr_matrix:
    weights = counts.copy()
    weights.data = 1 + np.log(weights.data)
    weights = weights.multiply(idf[None, :]).tocsr()
    length = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(length, 1e-12)) @ weights


def _best(similarities: np.ndarray, num: int) -> list[tuple[int, float]]:
    order = np.argsort(-similarities, kind="stable")[:num]
    return [(int(i), float(min(similarities[i], 1.0))) for i in order if similarities[i] > 0]
