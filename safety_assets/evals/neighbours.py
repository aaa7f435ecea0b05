"""Which corpus rows are nearest to a text: cosine of TF-IDF vectors over words, sparse, without a model.

Documents come in parts and are gone through twice, once to count words and once to compare, so that only the words
and the best so far stay in memory.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy import sparse

WORD = re.compile(r"\w+(?:'\w+)?")
BLOCK = 256
"""Texts compared at once: bounds the dense block of similarities to BLOCK x documents of a part."""

Parts = Callable[[], Iterable[Sequence[str]]]
"""Gives the documents, part by part, each time it is called."""

Best = list[tuple[int, float]]
"""Document index and cosine in 0..1, best first."""


def nearest(texts: Sequence[str], documents: Sequence[str], num: int = 3) -> list[Best]:
    """The documents nearest to each text, as `nearest_in` finds them."""
    return nearest_in(texts, lambda: [documents], num)


def nearest_in(texts: Sequence[str], documents: Parts, num: int = 3) -> list[Best]:
    """The documents nearest to each text.

    Weights are (1 + log tf) * (log((1 + n) / (1 + df)) + 1), vectors have length 1, n and df count documents only
    (Salton and Buckley 1988). Words that no document holds are left out. How documents are parted changes nothing.

    Args:
        texts: what to look up.
        documents: where to look.
        num: how many at most for each text.

    Returns:
        For each text up to `num` (document index, cosine in 0..1), best first; documents without a common word are
        left out, ties go to the earlier document.
    """
    best: list[Best] = [[] for _ in texts]
    if not texts:
        return best
    vocabulary, idf = _words(documents())
    blocks = [
        _unit(_counts(texts[start : start + BLOCK], vocabulary, grow=False), idf)
        for start in range(0, len(texts), BLOCK)
    ]
    before = 0
    for part in documents():
        against = _unit(_counts(part, vocabulary, grow=False), idf).T.tocsc()
        for number, block in enumerate(blocks):
            for text, similarities in enumerate((block @ against).toarray(), number * BLOCK):
                best[text] = _better(best[text], _best(similarities, num), before, num)
        before += len(part)
    return best


def _words(documents: Iterable[Sequence[str]]) -> tuple[dict[str, int], np.ndarray]:
    """Word to column, and each column's inverse document frequency."""
    vocabulary: dict[str, int] = {}
    frequency, num = np.zeros(1, dtype=np.int64), 0
    for part in documents:
        found = np.bincount(_counts(part, vocabulary, grow=True).indices, minlength=max(1, len(vocabulary)))
        found[: len(frequency)] += frequency
        frequency, num = found, num + len(part)
    return vocabulary, np.log((1 + num) / (1 + frequency)) + 1


def _better(one: Best, other: Best, before: int, num: int) -> Best:
    """The best of those so far and those of a part, whose documents come behind `before` others."""
    return sorted([*one, *((i + before, cosine) for i, cosine in other)], key=lambda found: -found[1])[:num]


def _counts(texts: Sequence[str], vocabulary: dict[str, int], *, grow: bool) -> sparse.csr_matrix:
    """Number of times each known word stands in each text, shape (texts, words)."""
    rows, columns = array("q"), array("q")
    for i, text in enumerate(texts):
        for word in WORD.findall(text.lower()):
            column = vocabulary.setdefault(word, len(vocabulary)) if grow else vocabulary.get(word)
            if column is not None:
                rows.append(i)
                columns.append(column)
    shape = (len(texts), max(1, len(vocabulary)))
    return sparse.coo_matrix((np.ones(len(rows)), (np.array(rows), np.array(columns))), shape=shape).tocsr()


def _unit(counts: sparse.csr_matrix, idf: np.ndarray) -> sparse.csr_matrix:
    weights = counts.copy()
    weights.data = 1 + np.log(weights.data)
    weights = weights.multiply(idf[None, :]).tocsr()
    length = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(length, 1e-12)) @ weights


def _best(similarities: np.ndarray, num: int) -> Best:
    order = np.argsort(-similarities, kind="stable")[:num]
    return [(int(i), float(min(similarities[i], 1.0))) for i in order if similarities[i] > 0]
