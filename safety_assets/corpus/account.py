"""The account of a corpus: what became of every line, and which findings are behind it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from safety_assets.errors import CorpusError
from safety_assets.frames import Shards, in_shards
from safety_assets.records import AUDITED, FINDINGS, QUARANTINE, ROWS

_ROW_ACTIONS = ("drop", "mask", "flag", "down_weight", "keep")


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
    quarantined = in_shards(quarantine, QUARANTINE).height
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


def _count(counts: _Counts, rows: pl.DataFrame, findings: pl.DataFrame, audited: pl.DataFrame) -> None:
    given, of_corpus = set(rows["row_id"]), audited.filter(pl.col("origin") == "corpus")
    kept = set(of_corpus["row_id"])
    acted = {a: set(findings.filter(pl.col("action") == a)["row_id"]) for a in _ROW_ACTIONS}
    _check_balance(given, kept, acted["drop"])
    counts.given += len(given)
    counts.kept += len(kept)
    counts.pairs += audited.height - of_corpus.height
    counts.rows.update({action: len(ids & kept) for action, ids in acted.items()})
    counts.dropped_by.update(findings.filter(pl.col("action") == "drop").unique(["row_id", "finding"])["finding"])
    counts.actions.update(findings.select("finding", "action").iter_rows())


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
