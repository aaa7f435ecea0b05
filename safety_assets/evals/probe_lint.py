"""What is wrong with a probe set, and what it can tell: every fault with its place, and the drop that it resolves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from safety_assets.errors import CorpusError
from safety_assets.evals import statistics
from safety_assets.evals.near_probes import near_pairs
from safety_assets.evals.probes import lines_of, probe_files, read_line
from safety_assets.records import PROBES

POWER = 0.8
FLIP_RATE = 0.02
"""Share of items that flip in the background, each way, where nobody measured it (the policy's flip_rate, halved)."""
FEWEST_GROUPS = 5
"""A metric of fewer groups is missing from over one resample in a hundred, which leaves its dimension unscored."""
SHOWN = 3
BY_STRINGS = ("answer", "obey", "ignore")


@dataclass(frozen=True, kw_only=True)
class Lint:
    """What was found in a probe set.

    Args:
        probes: PROBES of the lines that can be read.
        faults: sentences about what must be mended before the set is used.
        warnings: sentences about what makes its figures weaker than they look.
        balance: per dimension, metric and category of the gate: num_items, num_groups.
        resolves: per dimension of the gate: num_items, num_groups, points (drop found at 80% power; null: none is).
        resolves_by_metric: the same per dimension and metric, points of that metric alone.
    """

    probes: pl.DataFrame
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    balance: pl.DataFrame
    resolves: pl.DataFrame
    resolves_by_metric: pl.DataFrame


def lint(place: Path, flip_rate: float = FLIP_RATE) -> Lint:
    """Read all of a probe set, and say everything that is wrong with it.

    Args:
        place: a file or a folder of *.jsonl.
        flip_rate: share of items that flip in the background, each way, 0 to 0.5.

    Raises:
        CorpusError: there is no file, or one cannot be read as text.
    """
    rows, faults = [], []
    for where, row, wrong in _read(place):
        faults += [f"{where}: {fault}" for fault in wrong]
        rows += [] if wrong else [row]
    probes = PROBES.frame(rows)
    near = near_pairs(probes["messages"].to_list())
    gate = probes.filter((pl.col("split") == "gate") & (pl.col("slice") == "seen"))
    balance = _balance(gate)
    return Lint(
        probes=probes,
        faults=(*faults, *_twice(probes), *_leaks(probes, near), *_small_metrics(balance), *_any_answer_passes(probes)),
        warnings=(*_ungrouped(probes, near), *_shared_groups(probes), *_small_cells(balance), *_one_sided(balance)),
        balance=balance,
        resolves=_resolves(gate, flip_rate, "dimension"),
        resolves_by_metric=_resolves(gate, flip_rate, "dimension", "metric"),
    )


def _read(place: Path) -> Iterator[tuple[str, dict[str, object], list[str]]]:
    for path in probe_files(place):
        name = path.name if path == place else path.relative_to(place).as_posix()
        for number, line in lines_of(path):
            row, wrong = read_line(line, path.stem)
            yield f"{name}:{number}", row, wrong


def _twice(probes: pl.DataFrame) -> Iterator[str]:
    ids = probes.filter(pl.col("probe_id").is_duplicated())["probe_id"].unique(maintain_order=True).to_list()
    if ids:
        yield f"Ids that stand more than once: {len(ids)}, first {_some(ids)}. Rename all but one."
    same = probes.group_by("messages", "expect", "dimension", "metric", maintain_order=True).agg("probe_id")
    same = same.filter(pl.col("probe_id").list.n_unique() > 1)
    if len(same):
        first = _some(same["probe_id"].to_list()[0])
        yield f"Questions that are asked more than once: {len(same)}, first as {first}. Remove all but one."


def _leaks(probes: pl.DataFrame, near: list[tuple[int, int]]) -> Iterator[str]:
    asked = probes.select("split", "probe_id").rows()
    clashes = [(a, b) for a, b in near if asked[a][0] != asked[b][0]]
    if clashes:
        first = " and ".join(f"{asked[i][1]} ({asked[i][0]})" for i in clashes[0])
        yield f"Near-duplicates in two splits: {_counted(len(clashes), 'pair')}, first {first}. Remove one of each."


def _shared_groups(probes: pl.DataFrame) -> Iterator[str]:
    torn = probes.group_by("group", maintain_order=True).agg(pl.col("split").n_unique()).filter(pl.col("split") > 1)
    if len(torn):
        names = _some(torn["group"].to_list())
        yield (
            f"Groups in several splits: {len(torn)}, first {names}; what is chosen on one split is then examined on "
            "relatives of it. Keep each group in one split."
        )


def _small_metrics(balance: pl.DataFrame) -> Iterator[str]:
    metrics = balance.group_by("dimension", "metric", maintain_order=True).agg(pl.col("num_groups").sum())
    for row in metrics.filter(pl.col("num_groups") < FEWEST_GROUPS).iter_rows(named=True):
        yield (
            f"{row['dimension']}: {row['metric']} has {_counted(row['num_groups'], 'group')} in gate, and under "
            f"{FEWEST_GROUPS} the dimension stays unscored. Add probes."
        )


def _small_cells(balance: pl.DataFrame) -> Iterator[str]:
    small = balance.filter(pl.col("num_groups") < FEWEST_GROUPS)
    for (dimension, metric), part in small.group_by("dimension", "metric", maintain_order=True):
        yield (
            f"{dimension}: categories of {metric} with under {FEWEST_GROUPS} groups in gate: {len(part)}, first "
            f"{_some(part['category'].to_list())}; each weighs as much as a large one. Add probes, or merge them."
        )


def _any_answer_passes(probes: pl.DataFrame) -> Iterator[str]:
    nothing = (pl.col("targets").list.len() == 0) & (pl.col("forbidden").list.len() == 0)
    ids = probes.filter(pl.col("expect").is_in(BY_STRINGS) & nothing)["probe_id"].to_list()
    if ids:
        yield (
            f"Probes that any answer passes, judged by strings without having any: {len(ids)}, first {_some(ids)}. "
            "Give targets or forbidden."
        )


def _ungrouped(probes: pl.DataFrame, near: list[tuple[int, int]]) -> Iterator[str]:
    asked = probes.select("group", "probe_id", "split").rows()
    apart = [(a, b) for a, b in near if asked[a][0] != asked[b][0] and asked[a][2] == asked[b][2]]
    if apart:
        yield (
            f"Near-duplicates that count as independent: {_counted(len(apart), 'pair')}, first "
            f"{' and '.join(asked[i][1] for i in apart[0])}. Give both one group, or intervals come out too narrow."
        )


def _one_sided(balance: pl.DataFrame) -> Iterator[str]:
    """Categories weigh the same whatever their size, so a small one weighs more per item."""
    for (dimension, metric), part in balance.group_by("dimension", "metric", maintain_order=True):
        sized = part.sort("num_groups")
        small, large = sized.row(0, named=True), sized.row(-1, named=True)
        if large["num_groups"] >= 10 * small["num_groups"] and small["num_groups"] >= FEWEST_GROUPS:
            yield (
                f"{dimension}: in {metric}, {large['category']} has {large['num_groups']} groups and "
                f"{small['category']} {small['num_groups']}; both weigh the same. Add probes to the smaller."
            )


def _balance(gate: pl.DataFrame) -> pl.DataFrame:
    keys = ["dimension", "metric", "category"]
    counts = gate.group_by(keys).agg(num_items=pl.len().cast(pl.Int64), num_groups=pl.col("group").n_unique())
    return counts.with_columns(pl.col("num_groups").cast(pl.Int64)).sort(keys)


def _resolves(gate: pl.DataFrame, flip_rate: float, *keys: str) -> pl.DataFrame:
    """As if each group were one item of equal weight; the worst cell of a dimension resolves less."""
    counts = gate.group_by(keys).agg(num_items=pl.len(), num_groups=pl.col("group").n_unique()).sort(keys)
    drops = [statistics.resolvable_drop(groups, flip_rate, POWER) for groups in counts["num_groups"].to_list()]
    points = pl.Series([None if drop is None else round(10 * drop, 2) for drop in drops], dtype=pl.Float64)
    return counts.with_columns(points=points)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN])


def demand_probes(found: Lint, place: Path) -> None:
    """CorpusError where not one line could be read: then another file was meant."""
    if found.probes.is_empty():
        raise CorpusError(
            f"{place} holds no line that is a probe; {found.faults[0] if found.faults else 'it is empty'}",
            expected="JSON lines of probes, in full or shortly written",
            do="name the file of probes",
        )
