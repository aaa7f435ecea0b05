"""Rows without what policy drops or masks, joined with the pairs into the audited corpus, and the account of it all."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import polars as pl

from safety_assets.corpus.chats import Chat, default_group
from safety_assets.corpus.held_out import held_out_groups
from safety_assets.corpus.personal.spans import PLACEHOLDERS
from safety_assets.errors import CorpusError
from safety_assets.records import AUDITED, FINDINGS, PAIRS, ROWS

Spans = list[tuple[int, int, str]]
"""Start, end and finding of what is masked in one message."""

_FOREIGN_PLACEHOLDER = "[MASKED]"


def apply_findings(rows: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """ROWS with the actions done: dropped rows left out, masked spans replaced by `[EMAIL]` and the like.

    A flagged row stays as it is, and so does every character outside a masked span. Row ids stay those of the rows as
    given.

    Raises:
        CorpusError: a finding blocks, asks to mask without saying where, or is about a row that is not there.
    """
    rows, findings = ROWS.check(rows), FINDINGS.check(findings)
    _check_applicable(rows, findings)
    dropped = findings.filter(pl.col("action") == "drop")["row_id"].unique()
    spans = _spans(findings.filter((pl.col("action") == "mask") & ~pl.col("row_id").is_in(dropped.to_list())))
    kept = rows.filter(~pl.col("row_id").is_in(dropped.to_list()))
    if not spans:
        return kept
    records = kept.to_dicts()
    for record in records:
        record["messages"] = _masked(record["messages"], spans.get(record["row_id"], {}))
    return ROWS.frame(records)


def assemble(rows: pl.DataFrame, pairs: pl.DataFrame, *, held_out_share: float, seed: int) -> pl.DataFrame:
    """AUDITED: the corpus rows, then the pairs; every group in one split, pairs always in `train`.

    Args:
        rows: ROWS that were kept.
        pairs: PAIRS.
        held_out_share: expected share of groups held out, 0 <= share < 1.
        seed: another seed draws another split.
    """
    dose = [
        {**pair, "origin": pair["kind"], "group": default_group(pair["messages"]), "split": "train"}
        for pair in PAIRS.check(pairs).iter_rows(named=True)
    ]
    held_out = held_out_groups(rows, pairs, share=held_out_share, seed=seed)
    corpus = [
        {**row, "origin": "corpus", "split": "held_out" if row["group"] in held_out else "train"}
        for row in ROWS.check(rows).iter_rows(named=True)
    ]
    return AUDITED.frame([*corpus, *dose])


def account(
    rows: pl.DataFrame, quarantine: pl.DataFrame, findings: pl.DataFrame, audited: pl.DataFrame
) -> dict[str, int | dict]:
    """What became of every line: lines = kept + dropped + quarantined, and the findings behind it.

    Returns:
        lines, kept, dropped, quarantined, masked, flagged (rows), pairs; dropped_by: finding to rows it dropped;
        actions: finding to action to number of findings.

    Raises:
        CorpusError: a row is neither kept nor dropped by a finding, or is both.
    """
    given = set(rows["row_id"])
    kept = set(audited.filter(pl.col("origin") == "corpus")["row_id"])
    by_action = {a: set(findings.filter(pl.col("action") == a)["row_id"]) for a in ("drop", "mask", "flag")}
    _check_balance(given, kept, by_action["drop"])
    drops = findings.filter(pl.col("action") == "drop").unique(["row_id", "finding"])["finding"]
    actions: dict[str, Counter[str]] = defaultdict(Counter)
    for finding, action in findings.select("finding", "action").iter_rows():
        actions[finding][action] += 1
    return {
        "lines": len(given) + quarantine.height,
        "kept": len(kept),
        "dropped": len(given) - len(kept),
        "quarantined": quarantine.height,
        "masked": len(by_action["mask"] & kept),
        "flagged": len(by_action["flag"] & kept),
        "pairs": audited.filter(pl.col("origin") != "corpus").height,
        "dropped_by": dict(sorted(Counter(drops).items())),
        "actions": {finding: dict(sorted(counts.items())) for finding, counts in sorted(actions.items())},
    }


def _check_applicable(rows: pl.DataFrame, findings: pl.DataFrame) -> None:
    wrong = findings.filter(
        (pl.col("action") == "block")
        | ((pl.col("action") == "mask") & pl.col("start").is_null())
        | ~pl.col("row_id").is_in(rows["row_id"].to_list())
    )
    if wrong.is_empty():
        return
    first = wrong.row(0, named=True)
    place = f"{first['finding']} on row {first['row_id']} ({first['source']}:{first['line']})"
    if first["action"] == "block":
        raise CorpusError(
            f"{place} blocks", expected="drop, mask or flag", do=f"name {first['finding']} in corpus.actions"
        )
    if first["action"] == "mask" and first["start"] is None:
        raise CorpusError(
            f"{place} is about the row and cannot be masked", expected="drop or flag", do="change the policy"
        )
    raise CorpusError(f"{place} is about a row that is not there", expected="findings of these rows", do="audit again")


def _spans(findings: pl.DataFrame) -> dict[str, dict[int, Spans]]:
    spans: dict[str, dict[int, Spans]] = defaultdict(lambda: defaultdict(list))
    for row_id, turn, start, end, finding in findings.select("row_id", "turn", "start", "end", "finding").iter_rows():
        spans[row_id][turn].append((start, end, finding))
    return spans


def _masked(messages: Chat, spans: dict[int, Spans]) -> Chat:
    return [
        {**message, "content": mask_spans(message["content"], spans.get(turn, []))}
        for turn, message in enumerate(messages)
    ]


def mask_spans(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """A text with spans (start, end, finding) replaced by typed placeholders, last first; overlapping ones become one.

    A merged span takes the placeholder of its surest kind (the order of PLACEHOLDERS).
    """
    for start, end, finding in reversed(_merged(spans)):
        text = text[:start] + PLACEHOLDERS.get(finding, _FOREIGN_PLACEHOLDER) + text[end:]
    return text


def _merged(spans: Sequence[tuple[int, int, str]]) -> Spans:
    order = [*PLACEHOLDERS]
    merged: Spans = []
    for start, end, finding in sorted(spans):
        if merged and start < merged[-1][1]:
            first, last, other = merged.pop()
            surest = min(other, finding, key=lambda f: order.index(f) if f in order else len(order))
            merged.append((first, max(last, end), surest))
        else:
            merged.append((start, end, finding))
    return merged


def _check_balance(given: set[str], kept: set[str], dropped: set[str]) -> None:
    odd = sorted((given - kept - dropped) | (kept & dropped) | (kept - given))
    if odd:
        raise CorpusError(
            f"{len(odd)} of {len(given)} rows are not accounted for, the first is {odd[0]}",
            expected="every row either kept or dropped by a finding",
            do="build findings and audited rows from the same corpus",
        )
