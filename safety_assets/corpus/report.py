"""What an audit did, as a page for its steward: counts, masked examples, the difference it makes, and what is new.

Nothing personal is quoted: a masked span shows as the audit's evidence does, and so does what else stands near it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from safety_assets.corpus.chats import Chat
from safety_assets.corpus.clean import mask_spans
from safety_assets.corpus.clusters import clusters
from safety_assets.corpus.drift_shares import SHARES, DriftShares
from safety_assets.corpus.passes import masked_text
from safety_assets.frames import Shards

EXAMPLES, CLUSTERS, FILES = 3, 10, 20
"""Shown at most: examples of each finding, clusters of duplicates, files with their shares."""

_AROUND = 40
"""Characters shown on either side of a masked span."""

_ROW = "row_id", "source", "line"


def audit_page(rows: Shards, findings: Shards, decisions: pl.DataFrame, more: Sequence[str] = ()) -> str:
    """Markdown: findings by kind and action with examples, what became of each decision, clusters, drift.

    Args:
        rows, findings: ROWS and FINDINGS, in shards that belong together.
        decisions: DECISIONS.
        more: further sections, which stand before the examples.
    """
    parts = [f"# Audit of {rows.height:,} rows", *_counts(findings), *_decisions(decisions), *more]
    parts += [*_duplicates(findings), *_drift(rows, findings)]
    return "\n\n".join([*parts, "## Examples", *_examples(findings)]) + "\n"


def audited_page(account: Mapping[str, int | dict], rows: Shards, findings: Shards) -> str:
    """Markdown: what became of every line, and masked spans before and after.

    Args:
        account: as `account.account` gives it.
        rows: ROWS as given.
        findings: FINDINGS, a shard for each shard of rows.
    """
    shown = ("lines", "kept", "dropped", "quarantined", "masked", "flagged", "down_weighted", "kept_by_decision")
    counts = table(("lines", "number"), [(name.replace("_", " "), account[name]) for name in shown])
    dropped = account["dropped_by"]
    by = table(("finding", "rows dropped"), list(dropped.items())) if isinstance(dropped, dict) else ""
    parts = ["# From raw to audited", counts, by or "No row was dropped.", "## Masked spans"]
    return "\n\n".join([*parts, _differences(rows, findings)]) + "\n"


def since(before: tuple[Shards, Shards], now: tuple[Shards, Shards]) -> str:
    """Markdown: rows that came and went, and per finding the rows that have it newly or no longer.

    Args:
        before, now: ROWS and FINDINGS of two audits.
    """
    came, went = (_only(a[0], b[0], ["row_id"]).height for a, b in ((now, before), (before, now)))
    lines = [f"{came:,} rows came, {went:,} went."]
    kinds = ["row_id", "finding", "action"]
    new, gone = (
        _only(a[1], b[1], kinds).group_by("finding", "action").len() for a, b in ((now, before), (before, now))
    )
    both = new.join(gone, on=["finding", "action"], how="full", coalesce=True).sort("finding", "action").fill_null(0)
    if both.is_empty():
        return f"{lines[0]} Every row has the findings and actions that it had.\n"
    return "\n\n".join([*lines, table(("finding", "action", "rows newly", "rows no longer"), both.rows())]) + "\n"


def _only(one: Shards, other: Shards, keys: list[str]) -> pl.DataFrame:
    """Distinct keys that stand in one table and not in the other."""
    return one.lazy().select(keys).unique().join(other.lazy().select(keys), on=keys, how="anti").collect()


def _counts(findings: Shards) -> list[str]:
    kinds = findings.lazy().group_by("finding", "action")
    counts = kinds.agg(findings=pl.len(), rows=pl.col("row_id").n_unique()).sort("finding", "action").collect()
    if counts.is_empty():
        return ["Nothing was found."]
    return [table(("finding", "action", "findings", "rows"), counts.rows())]


def _decisions(decisions: pl.DataFrame) -> list[str]:
    if decisions.is_empty():
        return []
    shown = decisions.select("row_id", "finding", "action", "who", "why", "state", "note").rows()
    header = ("row", "finding", "action", "who", "why", "state", "note")
    return ["## Decisions", table(header, [tuple(value or "" for value in line) for line in shown])]


def _duplicates(findings: Shards) -> list[str]:
    """The largest clusters of rows that repeat one another."""
    found = clusters(findings.lazy())
    if found.is_empty():
        return []
    repeats = found.select(pl.col("exact") + pl.col("near")).to_series().sum()
    header = ("kept row", "file", "line", "equal to it", "nearly equal", "it is the one that is kept because")
    shown = table(header, found.head(CLUSTERS).rows())
    return ["## Duplicates", f"{repeats:,} rows repeat {found.height:,} others; the largest clusters:", shown]


def _drift(rows: Shards, findings: Shards) -> list[str]:
    """What rows teach beside their subject."""
    shares = DriftShares()
    for part, found in zip(rows.lazy_parts(), findings.lazy_parts(), strict=True):
        shares.add(part, found)
    shown = [
        (file, number, *(f"{share:.1%}" for share in of), f"{mean:.0f}")
        for file, number, *of, mean in shares.table().head(1 + FILES).rows()
    ]
    header = ("file", "rows", *(name.replace("_", " ") for name in SHARES), "words of an answer")
    said = "Shares of answers; of rows, for role play and system prompt. Long is over 250 words, short up to 5."
    return ["## Forms that rows teach", said, table(header, shown)]


def _examples(findings: Shards) -> Iterator[str]:
    first = findings.lazy().group_by("finding", maintain_order=True).head(EXAMPLES).sort("finding", maintain_order=True)
    shown = first.select("finding", *_ROW, "action", "evidence").collect().rows()
    if shown:
        yield table(("finding", "row", "file", "line", "action", "seen"), shown)


def _differences(rows: Shards, findings: Shards) -> str:
    """The first masked spans of each kind, a line before and a line after each."""
    shown: Counter[str] = Counter()
    lines: list[str] = []
    for number, found in enumerate(findings):
        enough = [kind for kind, count in shown.items() if count >= EXAMPLES]
        masked = found.filter((pl.col("action") == "mask") & ~pl.col("finding").is_in(enough))
        few = masked.group_by("finding", maintain_order=True).head(EXAMPLES)
        chats = _chats(rows, number, few)
        for span in few.iter_rows(named=True):
            shown[span["finding"]] += 1
            lines += _difference(span, chats[span["row_id"]][span["turn"]]["content"])
    return "```diff\n" + "\n".join(lines) + "\n```" if lines else "Nothing was masked."


def _chats(rows: Shards, number: int, findings: pl.DataFrame) -> dict[str, Chat]:
    """The chats of one shard that findings are about."""
    about = findings.select("row_id").unique().lazy()
    part = rows.lazy_parts()[number].select("row_id", "messages")
    return dict(part.join(about, on="row_id", how="semi").collect().iter_rows()) if findings.height else {}


def _difference(span: Mapping, text: str) -> Sequence[str]:
    before, after = masked_text(text[: span["start"]])[-_AROUND:], masked_text(text[span["end"] :])[:_AROUND]
    mark = mask_spans("x", [(0, 1, span["finding"])])
    said = (f"{before}{middle}{after}" for middle in (span["evidence"], mark))
    removed, added = (" ".join(line.split()).replace("```", "'''") for line in said)
    return f"@@ {span['row_id']} {span['source']}:{span['line']} @@", f"-{removed}", f"+{added}"


def table(header: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """A Markdown table; empty without lines."""
    if not lines:
        return ""
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in cells)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
