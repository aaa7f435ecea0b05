"""Single cases that a steward settles: `decisions.csv`, read whole, laid over what the policy does, and accounted for.

Row ids are hashes of what the row says, so a decision holds for the same row of a later delivery too. What it is about
may be gone by then: such a decision is stale, which is reported and harms nothing. Contamination is never kept: a row
that repeats a probe or task would make every later score a lie.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from safety_assets.corpus.names import CONTAMINATION
from safety_assets.errors import ProjectError
from safety_assets.records import DECISIONS, FINDINGS

COLUMNS = ("row_id", "finding", "action", "who", "why")
ACTIONS = ("keep", "mask", "drop")

_ABOUT = ["row_id", "finding"]


def read_decisions(path: Path) -> pl.DataFrame:
    """DECISIONS of a file, their states still empty; none when there is no such file.

    Raises:
        ProjectError: the file cannot be read, lacks a column, or a line of it is no decision; file and line are named.
    """
    if not path.exists():
        return DECISIONS.empty()
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, strict=True)
            _check_header(path, reader.fieldnames or ())
            decisions = [_decision(f"{path}:{reader.line_num}", line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProjectError(f"{path} cannot be read: {error}", expected=f"CSV with {', '.join(COLUMNS)}") from error
    frame = DECISIONS.frame(decisions)
    _check_once(path, frame)
    return frame


def _check_header(path: Path, found: Sequence[str]) -> None:
    if sorted(found) != sorted(COLUMNS):
        raise ProjectError(
            f"{path}:1 has the columns {', '.join(found) or 'none'}", expected=", ".join(COLUMNS), do="mend the header"
        )


def _decision(place: str, line: Mapping[str | None, str | None]) -> dict[str, str]:
    blank = [name for name in COLUMNS if not (line.get(name) or "").strip()]
    if blank or None in line:
        found = f"{place} has no {blank[0]}" if blank else f"{place} has more cells than columns"
        raise ProjectError(found, expected="every column filled, who and why too", do="complete the line")
    decision = {name: str(line[name]).strip() for name in COLUMNS}
    if decision["action"] not in ACTIONS:
        found = f"{place} has action {decision['action']!r:.40}"
        raise ProjectError(found, expected=", ".join(ACTIONS), do="correct the action")
    return decision


def _check_once(path: Path, decisions: pl.DataFrame) -> None:
    twice = decisions.filter(decisions.select(_ABOUT).is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        raise ProjectError(
            f"{path} decides {twice.height} times on {first['finding']} of row {first['row_id']}",
            expected="one decision per row and finding",
            do="remove the others",
        )


def decided(findings: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """FINDINGS with the decisions' actions in place of the policy's, where a decision can be done."""
    if decisions.is_empty() or findings.is_empty():
        return findings
    given = decisions.select(*_ABOUT, decision="action")
    both = findings.join(given, on=_ABOUT, how="left", maintain_order="left")
    changes = pl.col("decision").is_not_null() & _can_be_done(pl.col("decision"))
    return FINDINGS.check(both.with_columns(action=pl.when(changes).then("decision").otherwise("action")))


def _can_be_done(action: pl.Expr) -> pl.Expr:
    kept_contamination = (action == "keep") & pl.col("finding").is_in(CONTAMINATION)
    masked_row = (action == "mask") & pl.col("start").is_null()
    return ~kept_contamination & ~masked_row


def settled(decisions: pl.DataFrame, findings: pl.LazyFrame, rows: pl.LazyFrame) -> pl.DataFrame:
    """DECISIONS with their states.

    Args:
        findings: FINDINGS of the whole corpus.
        rows: ROWS of the whole corpus.
    """
    about = decisions.select(*_ABOUT, "action").lazy()
    found = findings.select(*_ABOUT, "start").join(about, on=_ABOUT, how="inner")
    done = found.group_by(_ABOUT).agg(done=_can_be_done(pl.col("action")).all())
    present = rows.select("row_id").join(about.select("row_id").unique(), on="row_id", how="semi")
    known = present.with_columns(known=pl.lit(True))
    joined = decisions.lazy().join(done, on=_ABOUT, how="left", maintain_order="left")
    joined = joined.join(known, on="row_id", how="left", maintain_order="left")
    return DECISIONS.check(joined.with_columns(**_state()).collect())


def _state() -> dict[str, pl.Expr]:
    """State and note of a decision, from `done` (null: no such finding) and `known` (null: no such row)."""
    done, refused, stale = pl.col("done").fill_null(False), ~pl.col("done"), pl.col("done").is_null()
    kept = pl.lit("a row that repeats a probe or task is never kept; the policy's action holds")
    whole = pl.lit("the finding is about the whole row and cannot be masked; the policy's action holds")
    no_row, no_finding = pl.lit("the corpus has no such row"), pl.lit("the row has no such finding")
    because = pl.when(pl.col("action") == "keep").then(kept).otherwise(whole)
    gone = pl.when(pl.col("known").is_null()).then(no_row).otherwise(no_finding)
    state = pl.when(done).then(pl.lit("applied")).when(stale).then(pl.lit("stale")).otherwise(pl.lit("refused"))
    return {"state": state, "note": pl.when(refused).then(because).when(stale).then(gone).otherwise(None)}
