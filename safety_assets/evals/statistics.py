"""Intervals and tests: cluster bootstrap, Wilson, exact McNemar, power, Benjamini-Hochberg.

All in numpy and scipy.special, seeded, without a loop over draws.
"""

import math

import numpy as np
from scipy import special

DRAWS = 2000
SEED = 20250901
Z_TWO_SIDED = 1.959963984540054
MOST_ITEMS = 1_000_000


def resample_counts(num_groups: int, draws: int = DRAWS, seed: int = SEED) -> np.ndarray:
    """How often each group is drawn when `num_groups` groups are drawn with replacement.

    Args:
        num_groups: at least 1.

    Returns:
        Multinomial counts of shape (draws, num_groups); every row sums to num_groups.
    """
    if num_groups < 1:
        raise ValueError(f"a bootstrap needs at least one group, found {num_groups}")
    drawn = np.random.default_rng(seed).integers(0, num_groups, size=(draws, num_groups))
    flat = drawn + num_groups * np.arange(draws)[:, None]
    return np.bincount(flat.ravel(), minlength=draws * num_groups).reshape(draws, num_groups).astype(float)


def cell_sums(values: np.ndarray, groups: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum of values and number of items of every group in every cell.

    Args:
        values: shape (items,).
        groups: group index of each item, shape (items,), 0-based without gaps.
        cells: cell index of each item, shape (items,), 0-based without gaps.

    Returns:
        Two arrays of shape (groups, cells).
    """
    shape = (int(groups.max()) + 1, int(cells.max()) + 1)
    flat = groups * shape[1] + cells
    size = shape[0] * shape[1]
    sums = np.bincount(flat, weights=values, minlength=size).reshape(shape)
    return sums, np.bincount(flat, minlength=size).reshape(shape).astype(float)


def resampled_means(counts: np.ndarray, sums: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Mean of each cell under each resample.

    Args:
        counts: shape (draws, groups), from `resample_counts`; one row of ones gives the means of the full data.
        sums: shape (groups, cells).
        numbers: shape (groups, cells).

    Returns:
        Shape (draws, cells); NaN where a resample drew no item of the cell.
    """
    items = counts @ numbers
    return np.divide(counts @ sums, items, out=np.full(items.shape, np.nan), where=items > 0)


def wilson(successes: float, num_items: float, z: float = Z_TWO_SIDED) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22).

    Args:
        successes: 0..num_items; may be fractional (a mean times an effective number).
        num_items: above 0.
    """
    if num_items <= 0:
        raise ValueError(f"an interval needs at least one item, found {num_items}")
    p = successes / num_items
    centre = (p + z * z / (2 * num_items)) / (1 + z * z / num_items)
    half = z / (1 + z * z / num_items) * math.sqrt(max(p * (1 - p), 0.0) / num_items + z * z / (4 * num_items**2))
    return max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p))


def unseen_rate(num_groups: float, level: float = 0.05) -> float:
    """The largest share that `num_groups` independent groups can all miss with probability `level` (rule of three)."""
    return float(1 - level ** (1 / num_groups))


def mcnemar(num_lost: int, num_gained: int) -> float:
    """One-sided exact McNemar test that losses outweigh gains: P(X >= lost), X ~ Binomial(lost + gained, 1/2)."""
    if num_lost <= 0:
        return 1.0
    return float(special.bdtrc(num_lost - 1, num_lost + num_gained, 0.5))


def mcnemar_power(num_pairs: int, drop: float, flip_rate: float, level: float = 0.05) -> float:
    """Probability that `mcnemar` finds a true drop.

    Args:
        drop: true loss as a share, 0..1.
        flip_rate: share of items that flip in the background, each way; 2 * flip_rate + drop lies in 0..1.
        level: of the test.
    """
    discordant = np.arange(1, num_pairs + 1)
    share = 2 * flip_rate + drop
    if share <= 0:
        return 0.0
    found = special.bdtrc(_critical(discordant, level) - 1, discordant, (flip_rate + drop) / share)
    return float(np.sum(_binomial_mass(discordant, num_pairs, share) * found))


def resolvable_drop(num_groups: int, flip_rate: float, power: float = 0.8, level: float = 0.05) -> float | None:
    """The smallest true loss that `mcnemar` finds with this probability, each group counting as one item.

    Args:
        num_groups: independent groups; at least 0.
        flip_rate: share of items that flip in the background, each way, 0..0.5.
        power: probability, 0..1.

    Returns:
        A share, 0..1 - 2 * flip_rate, to 0.0001; None when not even the largest is found.
    """
    low, high = 0.0, 1 - 2 * flip_rate
    if num_groups < 1 or mcnemar_power(num_groups, high, flip_rate, level) < power:
        return None
    while high - low > 1e-4:
        middle = (low + high) / 2
        enough = mcnemar_power(num_groups, middle, flip_rate, level) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def _critical(discordant: np.ndarray, level: float) -> np.ndarray:
    """Fewest losses among so many discordant pairs that are significant; one more than all when none is."""
    found = np.ceil(discordant / 2)
    while True:
        short = (special.bdtrc(found - 1, discordant, 0.5) > level) & (found <= discordant)
        if not short.any():
            return found
        found = found + short


def _binomial_mass(k: np.ndarray, n: int, p: float) -> np.ndarray:
    logs = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return np.exp(logs + special.xlogy(k, p) + special.xlog1py(n - k, -p))


def num_needed(drop: float, bound: float, within: float, num_pairs: int, num_groups: int) -> int | None:
    """Probes that would bring the upper bound of a drop within a margin, at this spread and these group sizes.

    Args:
        drop: measured drop, points on the 0-10 scale.
        bound: its upper bound by bootstrap, points.
        within: margin, points.
        num_pairs: items the bound rests on.
        num_groups: independent groups among them.

    Returns:
        A number of items, at least 1; None when no number would do: the drop itself is not within the margin, or so
        close to it that more than MOST_ITEMS would be needed.
    """
    margin = (within - drop) / 10
    if margin <= 0:
        return None
    by_spread = num_pairs * ((bound - drop) / 10 / margin) ** 2
    by_silence = math.log(0.05) / math.log1p(-min(margin, 0.999)) * num_pairs / num_groups
    needed = max(by_spread, by_silence)
    return max(1, math.ceil(needed - 1e-9)) if needed <= MOST_ITEMS else None


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p-values that control the false discovery rate (Benjamini and Hochberg 1995); same shape and order."""
    p_values = np.asarray(p_values, dtype=float)
    if p_values.size == 0:
        return p_values
    order = np.argsort(p_values)
    scaled = p_values[order] * p_values.size / np.arange(1, p_values.size + 1)
    adjusted = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    out = np.empty_like(adjusted)
    out[order] = adjusted
    return out
