"""Agreement beyond chance: many ratings of an item (Fleiss 1971), two raters of the same items (Cohen 1960).

Where every rating is the same, chance alone would agree as well, and kappa is undefined: NaN, which the caller names.
"""

import numpy as np

ALL_THE_SAME = "every verdict is the same, so that chance alone agrees as well: kappa is undefined"


def fleiss_kappa(counts: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Fleiss' kappa of each draw of items.

    Args:
        counts: how many ratings of each item fall into each category, shape (items, categories); every row has the same
            sum, at least 2.
        weights: how often each item counts, shape (draws, items), each row with a sum above 0; all once by default.

    Returns:
        Shape (draws,), at most 1; NaN where all ratings are the same.

    Raises:
        ValueError: there is no item, or not the same number of ratings, at least 2, of each.
    """
    number = counts[0].sum() if len(counts) else 0
    if number < 2 or (counts.sum(axis=1) != number).any():
        raise ValueError("Fleiss' kappa needs the same number of ratings of each item, at least 2")
    weights = np.ones((1, len(counts))) if weights is None else weights
    items = weights.sum(axis=1)
    alike = (counts * (counts - 1)).sum(axis=1) / (number * (number - 1))
    shares = (weights @ counts) / (number * items[:, None])
    return _beyond_chance(weights @ alike / items, (shares**2).sum(axis=1))


def cohen_kappa(first: np.ndarray, second: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Cohen's kappa of each draw of items.

    Args:
        first, second: the category that each rater gives each item, shape (items,), at least one.
        weights: as for `fleiss_kappa`.

    Returns:
        Shape (draws,), at most 1; NaN where both say the same of every item.
    """
    weights = np.ones((1, len(first))) if weights is None else weights
    items = weights.sum(axis=1)
    names = np.unique(np.concatenate([first, second]))
    shares = [weights @ (side[:, None] == names) / items[:, None] for side in (first, second)]
    return _beyond_chance(weights @ (first == second) / items, (shares[0] * shares[1]).sum(axis=1))


def _beyond_chance(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    room = 1 - expected
    return np.divide(observed - expected, room, out=np.full(room.shape, np.nan), where=room > 1e-12)
