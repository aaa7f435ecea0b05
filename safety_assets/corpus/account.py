"""The account of a corpus: what became of every line, and which findings are behind it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from safety_assets.errors import CorpusError
from safety_assets.frames import Shards, in_shards
from safety_assets.records import AUDITED, FINDINGS, QUARANTINE, ROWS

_ROW_ACTIONS = ("mask", "flag", "down_weight", "keep")


@dataclass
class _Counts:
    """Sums over the shards that were counted so far."""

    given: int = 0
    kept: int = 0
    pairs: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    dropped_by: Counter[str] = field(default_factory=Counter)
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)


def account(
    rows: pl.DataFrame | Shards,
    quarantine: pl.DataFrame | Shards,
    findings: pl.DataFrame | Shards,
    audited: pl.DataFrame | Shards,
) -> dict[str, int | dict]:
    """What became of every line: lines = kept + dropped + quarantined, and the findings behind it.

    Args:
        rows, findings, audited: ROWS, FINDINGS and AUDITED, in shards that belong together.
        quarantine: QUARANTINE.

    Returns:
        lines, kept, dropped, quarantined, masked, flagged, down_weighted, kept_by_decision (rows), pairs; dropped_by:
        finding to rows it dropped; actions: finding to action to number of findings.

    Raises:
        CorpusError: a row is neither kept nor dropped by a finding, or is both.
    """
    counts = _Counts()
    for parts in zip(in_shards(rows, ROWS), in_shards(findings, FINDINGS), in_shards(audited, AUDITED), strict=True):
        _count(counts, *parts)
    return _told(counts, in_shards(quarantine, QUARANTINE).height)


def foreseen(rows: Shards, quarantine: Shards, findings: Shards) -> dict[str, int | dict]:
    """What would become of every line: the keys of `account` but pairs, and `blocked`.

    A row that a finding blocks is not kept: it counts as dropped until somebody decides, and as blocked unless another
    finding drops it.
    """
    counts, blocked = _Counts(), 0
    for part, found in zip(rows, findings, strict=True):
        given = set(part["row_id"])
        dropped, held = (set(found.filter(pl.col("action") == action)["row_id"]) for action in ("drop", "block"))
        blocked += len(held - dropped)
        _add(counts, given, given - dropped - held, found)
    told = _told(counts, quarantine.height)
    del told["pairs"]
    return told | {"blocked": blocked}


def _count(counts: _Counts, rows: pl.DataFrame, findings: pl.DataFrame, audited: pl.DataFrame) -> None:
    given, of_corpus = set(rows["row_id"]), audited.filter(pl.col("origin") == "corpus")
    kept = set(of_corpus["row_id"])
    _check_balance(given, kept, set(findings.filter(pl.col("action") == "drop")["row_id"]))
    counts.pairs += audited.height - of_corpus.height
    _add(counts, given, kept, findings)


def _add(counts: _Counts, given: set[str], kept: set[str], findings: pl.DataFrame) -> None:
    counts.given += len(given)
    counts.kept += len(kept)
    for action in _ROW_ACTIONS:
        counts.rows[action] += len(kept.intersection(findings.filter(pl.col("action") == action)["row_id"]))
    counts.dropped_by.update(findings.filter(pl.col("action") == "drop").unique(["row_id", "finding"])["finding"])
    counts.actions.update(findings.select("finding", "action").iter_rows())


def _told(counts: _Counts, quarantined: int) -> dict[str, int | dict]:
    return {
        "lines": counts.given + quarantined,
        "kept": counts.kept,
        "dropped": counts.given - counts.kept,
        "quarantined": quarantined,
        "masked": counts.rows["mask"],
        "flagged": counts.rows["flag"],
        "down_weighted": counts.rows["down_weight"],
        "kept_by_decision": counts.rows["keep"],
        "pairs": counts.pairs,
        "dropped_by": dict(sorted(counts.dropped_by.items())),
        "actions": by_finding(counts.actions.items()),
    }


def by_finding(counts: Iterable[tuple[tuple[str, str], int]]) -> dict[str, dict[str, int]]:
    """Counts of finding and action, as finding to action to count, sorted."""
    table: dict[str, dict[str, int]] = {}
    for (finding, action), count in sorted(counts):
        table.setdefault(finding, {})[action] = count
    return table


def _check_balance(given: set[str], kept: set[str], dropped: set[str]) -> None:
    odd = sorted((given - kept - dropped) | (kept & dropped) | (kept - given))
    if odd:
        raise CorpusError(
            f"{len(odd)} of {len(given)} rows are not accounted for, the first is {odd[0]}",
            expected="every row either kept or dropped by a finding",
            do="build findings and audited rows from the same corpus",
        )
