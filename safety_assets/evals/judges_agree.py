"""Whether two judges say the same of the same answers, beyond chance: Cohen's kappa."""

from collections.abc import Mapping

import polars as pl

from safety_assets.evals.kappa import cohen_kappa
from safety_assets.evals.ratings import RATINGS
from safety_assets.evals.resampled import ALL, dimensions_in, kappa_with_bounds, weights_of
from safety_assets.records import Table

JUDGES_AGREE = Table("judges_agree", {
    "side": (pl.String, "base or candidate; model where one is looked at alone"),
    "dimension": (pl.String, "dimension; all: every answer that both judged"),
    "temperature": (pl.Float64, "of the answers; 0: greedy; null: all of them"),
    "first": (pl.String, "one judge"),
    "second": (pl.String, "the other"),
    "num_answers": (pl.Int64, "answers with a verdict of both"),
    "agreement": (pl.Float64, "share with the same verdict, 0..1"),
    "kappa": (pl.Float64, "Cohen's kappa; null where it is undefined"),
    "kappa_low": (pl.Float64, "lower bound: cluster bootstrap"),
    "kappa_high": (pl.Float64, "upper bound"),
    "no_kappa_because": (pl.String, "why there is no kappa, or none with bounds"),
})  # fmt: skip


def judges_agree(sides: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Agreement of each two judges on the same answers, by side, dimension and temperature.

    Args:
        sides: as for `consistency`.

    Returns:
        JUDGES_AGREE; without rows where one judge judged alone.
    """
    rows = list[dict[str, object]]()
    for side, table in sides.items():
        judges = table["judge"].unique(maintain_order=True).to_list()
        for first, second in [(a, b) for i, a in enumerate(judges) for b in judges[i + 1 :]]:
            both = _both(table, first, second)
            named = {"side": side, "first": first, "second": second}
            rows += [{**named, **row} for row in _between(both)]
    return JUDGES_AGREE.frame(rows)


def _both(table: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Answers with a verdict of both judges."""
    keys = ["item", "dimension", "group", "temperature", "seed"]
    sides = [
        RATINGS.check(table).filter(pl.col("judge") == judge, pl.col("passed").is_not_null()).select(*keys, "passed")
        for judge in (first, second)
    ]
    return sides[0].join(sides[1], on=keys, suffix="_second", nulls_equal=True, maintain_order="left")


def _between(both: pl.DataFrame) -> list[dict[str, object]]:
    rows = list[dict[str, object]]()
    for name in dimensions_in(both) if len(both) else []:
        own = both if name == ALL else both.filter(pl.col("dimension") == name)
        for temperature in [None, *own["temperature"].unique().sort()]:
            part = own if temperature is None else own.filter(pl.col("temperature") == temperature)
            rows.append({"dimension": name, "temperature": temperature, **_cohen(part)})
    return rows


def _cohen(part: pl.DataFrame) -> dict[str, object]:
    first, second = (part[name].to_numpy() for name in ("passed", "passed_second"))
    weights, _ = weights_of(part["group"].fill_null("").to_numpy())
    alike = {"num_answers": part.height, "agreement": float((first == second).mean())}
    return {**alike, **kappa_with_bounds(cohen_kappa(first, second, weights))}
