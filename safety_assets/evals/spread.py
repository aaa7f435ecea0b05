"""A bounded sample of probes: seeded, spread over metrics and categories, one of each cluster before a second."""

import hashlib
from collections import defaultdict

import polars as pl

from safety_assets.records import PROBES


def spread(probes: pl.DataFrame, number: int, seed: int = 0) -> pl.DataFrame:
    """At most `number` probes of each dimension, members of a pair together, in the order in which they stand.

    Cells of metric and category are filled in turn. Within a cell the clusters of near-duplicates take turns too, so
    that a second probe of a cluster comes only after one of each. A pair counts as many as it has members, and one that
    does not fit any more is left out.

    Args:
        probes: PROBES.
        number: of each dimension, at least 0.
        seed: another number draws another sample.
    """
    chosen: set[str] = set()
    for part in PROBES.check(probes).partition_by("dimension", maintain_order=True):
        chosen |= _chosen(part, number, seed)
    return probes.filter(pl.col("probe_id").is_in(list(chosen)))


def _chosen(part: pl.DataFrame, number: int, seed: int) -> set[str]:
    units = part.group_by(pl.col("pair").fill_null(pl.col("probe_id")).alias("unit"), maintain_order=True).agg(
        pl.col("probe_id"), pl.col("metric").first(), pl.col("category").first(), pl.col("group").first()
    )
    out: set[str] = set()
    for row in _in_turn(units.to_dicts(), seed):
        if len(out) + len(row["probe_id"]) <= number:
            out |= set(row["probe_id"])
    return out


def _in_turn(units: list[dict], seed: int) -> list[dict]:
    """Units in the order in which they are taken: by turn of the cluster, turn of the cell, then by draw."""
    drawn = sorted(units, key=lambda row: _draw(seed, row["unit"]))
    in_cluster, in_cell = defaultdict[tuple, int](int), defaultdict[tuple, int](int)
    for row in drawn:
        cell = row["metric"], row["category"]
        row["turn"] = in_cluster[*cell, row["group"]]
        in_cluster[*cell, row["group"]] += 1
    drawn.sort(key=lambda row: row["turn"])
    for row in drawn:
        cell = row["metric"], row["category"]
        row["place"] = in_cell[cell]
        in_cell[cell] += 1
    return sorted(drawn, key=lambda row: row["place"])


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()
