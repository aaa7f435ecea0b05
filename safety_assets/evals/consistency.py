"""Whether verdicts hold when a model is asked again: agreement over seeds and temperatures.

Verdict agreement is the share of items with the same verdict (pass or fail) in every draw; Fleiss' kappa is agreement
beyond chance; the flip rate is the share of drawn answers whose verdict is not that of the greedy one. Bounds are
one-sided, 95% each.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from safety_assets.evals import statistics
from safety_assets.evals.kappa import fleiss_kappa
from safety_assets.evals.ratings import GREEDY, Grid, grid
from safety_assets.evals.resampled import ALL, ONE_SIDED, dimensions_in, kappa_with_bounds, share, weights_of
from safety_assets.records import Table

CONSISTENCY = Table("consistency", {
    "side": (pl.String, "base or candidate; model where one is looked at alone"),
    "dimension": (pl.String, "dimension; all: every item"),
    "judge": (pl.String, "name and version of the judge"),
    "temperature": (pl.Float64, "of the draws; 0: greedy; null: all draws together, the greedy one among them"),
    "num_items": (pl.Int64, "items, pairs of probes once, with a verdict in every draw"),
    "num_unscored": (pl.Int64, "items without one in some draw"),
    "num_draws": (pl.Int64, "answers to each item"),
    "agreement": (pl.Float64, "share of items with the same verdict in every draw, 0..1; null of a single draw"),
    "agreement_low": (pl.Float64, "lower bound: cluster bootstrap joined with Wilson's interval"),
    "agreement_high": (pl.Float64, "upper bound"),
    "kappa": (pl.Float64, "Fleiss' kappa over the draws; null where it is undefined"),
    "kappa_low": (pl.Float64, "lower bound: cluster bootstrap, moved out by what so many groups can miss"),
    "kappa_high": (pl.Float64, "upper bound"),
    "no_kappa_because": (pl.String, "why there is no kappa, or none with bounds"),
    "flip_rate": (pl.Float64, "share of drawn answers whose verdict is not that of the greedy answer, 0..1"),
    "flip_high": (pl.Float64, "upper bound"),
    "pass_rate": (pl.Float64, "share of answers that pass, 0..1"),
    "pass_low": (pl.Float64, "lower bound"),
    "same_text": (pl.Float64, "share of the most frequent answer of an item, mean; over all draws only"),
    "change": (pl.Float64, "agreement of the candidate - that of the base, on items that both have; over all draws"),
    "change_low": (pl.Float64, "lower bound: paired cluster bootstrap, moved out by what so many groups can miss"),
    "change_high": (pl.Float64, "upper bound"),
})  # fmt: skip


def consistency(sides: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """How steady verdicts are, by side, judge, dimension and temperature.

    Args:
        sides: base, candidate or both, to RATINGS of the same items and draws.

    Returns:
        CONSISTENCY: all dimensions together first, all draws together before each temperature.
    """
    rows = list[dict[str, object]]()
    for side, table in sides.items():
        for judge in table["judge"].unique(maintain_order=True):
            own = grid(table, judge)
            base = grid(sides["base"], judge) if side == "candidate" and "base" in sides else None
            for name in dimensions_in(table.filter(pl.col("judge") == judge)):
                rows += [{"side": side, "judge": judge, **row} for row in _rows(own, base, name)]
    return CONSISTENCY.frame(rows)


def _rows(own: Grid, base: Grid | None, name: str) -> list[dict[str, object]]:
    """The rows of one dimension: all draws, then each temperature."""
    part = _of(own, name)
    times = np.array([draw.temperature for draw in own.draws])
    unscored = sum(own.num_unscored.values()) if name == ALL else own.num_unscored.get(name, 0)
    given = {"dimension": name, "num_items": len(part.items), "num_unscored": unscored}
    if not len(part.items):
        return [{**given, "num_draws": len(times), "no_kappa_because": "no item has a verdict in every draw"}]
    weights, groups = weights_of(part.groups)
    whole = _figures(part.passed, part.passed[:, times == GREEDY], times != GREEDY, weights, groups)
    told = {"same_text": float(part.same_text.mean()), **(_change(part, _of(base, name)) if base else {})}
    rows = [{**given, "num_draws": len(times), **whole, **told}]
    for temperature in dict.fromkeys(times.tolist()):
        mine = part.passed[:, times == temperature]
        drawn = np.full(mine.shape[1], temperature != GREEDY)
        figures = _figures(mine, part.passed[:, times == GREEDY], drawn, weights, groups)
        rows.append({**given, "temperature": temperature, "num_draws": mine.shape[1], **figures})
    return rows


def _of(own: Grid, name: str) -> Grid:
    """The items of one dimension."""
    if name == ALL:
        return own
    keep = own.dimensions == name
    return Grid(
        items=own.items[keep], dimensions=own.dimensions[keep], groups=own.groups[keep], draws=own.draws,
        passed=own.passed[keep], num_unscored=own.num_unscored, same_text=own.same_text[keep],
    )  # fmt: skip


def _figures(
    passed: np.ndarray, greedy: np.ndarray, drawn: np.ndarray, weights: np.ndarray, groups: int
) -> dict[str, object]:
    """What is said of some draws; `passed` has shape (items, draws), `greedy` (items, 0 or 1), `drawn` (draws,)."""
    out: dict[str, object] = dict(
        zip(("pass_rate", "pass_low"), share(passed.mean(axis=1), weights, groups), strict=False)
    )
    if passed.shape[1] > 1:
        alike = (passed == passed[:, :1]).all(axis=1).astype(float)
        out |= dict(zip(("agreement", "agreement_low", "agreement_high"), share(alike, weights, groups), strict=True))
        out |= _fleiss(passed, weights, groups)
    if greedy.shape[1] and drawn.any():
        turned = (passed[:, drawn] != greedy).mean(axis=1)
        out["flip_rate"], _, out["flip_high"] = share(turned, weights, groups)
    return out


def _fleiss(passed: np.ndarray, weights: np.ndarray, groups: int) -> dict[str, object]:
    counts = np.stack([passed.sum(axis=1), (~passed).sum(axis=1)], axis=1)
    most = passed.shape[1] // 2  # of an item whose verdicts fall apart as far as they can
    apart = 2 * most * (passed.shape[1] - most) / (passed.shape[1] * (passed.shape[1] - 1))
    rate = passed.mean()
    unseen = statistics.unseen_rate(groups) * apart / max(1 - rate**2 - (1 - rate) ** 2, 1e-12)
    return kappa_with_bounds(fleiss_kappa(counts, weights), unseen)


def _change(own: Grid, base: Grid) -> dict[str, float]:
    """Agreement of the candidate against the base, on the items that both have."""
    _, mine, theirs = np.intersect1d(own.items, base.items, return_indices=True)
    if not len(mine):
        return {}
    alike = [(side == side[:, :1]).all(axis=1).astype(float) for side in (own.passed[mine], base.passed[theirs])]
    weights, groups = weights_of(own.groups[mine])
    means = weights @ (alike[0] - alike[1]) / weights.sum(axis=1)
    change, unseen = float(means[0]), statistics.unseen_rate(groups)
    low, high = np.quantile(means[1:], ONE_SIDED)
    ends = {"change_low": min(float(low), change - unseen), "change_high": max(float(high), change + unseen)}
    return {"change": change, **ends}
