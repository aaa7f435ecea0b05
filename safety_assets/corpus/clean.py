"""Rows without what policy drops or masks, joined with the pairs into the audited corpus."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import polars as pl

from safety_assets.corpus.chats import Chat, default_group
from safety_assets.corpus.held_out import held_out_groups
from safety_assets.corpus.personal.spans import PLACEHOLDERS
from safety_assets.corpus.spans import Moved, pair_spans, spans_of
from safety_assets.errors import CorpusError
from safety_assets.frames import Shards, open_shards, write_shard
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED, FINDINGS, PAIRS, ROWS, SPANS

Spans = list[tuple[int, int, str]]
"""Start, end and finding of what is masked in one message."""

_FOREIGN_PLACEHOLDER = "[MASKED]"


def write_audited(
    rows: Shards, findings: Shards, pairs: pl.DataFrame, *, policy: CorpusPolicy, seed: int, folder: Path,
    choose: Callable[[Shards], pl.DataFrame],
) -> Shards:  # fmt: skip
    """AUDITED in `folder/rows`, a shard for each shard of rows; the pairs stand behind the rows of the last one.

    Args:
        rows: ROWS as given.
        findings: FINDINGS, a shard for each shard of rows.
        pairs: PAIRS.
        policy: share held out, weight of rows that are weighted down.
        seed: of the split.
        choose: the corpus rows that were kept, as AUDITED, to the PAIRS that stand behind them.

    Raises:
        CorpusError: as in `apply_findings`.
    """
    held_out = held_out_groups(rows, pairs, share=policy.held_out_share, seed=seed)
    last = len(rows) - 1
    for number, (given, found) in enumerate(zip(rows, findings, strict=True)):
        part = corpus_rows(apply_findings(given, found), held_out, down_weighted(found), policy.down_weight)
        part = part.drop("spans").join(marked(given, found), on="row_id", how="left", maintain_order="left")
        if number == last:
            written = sorted((folder / "rows").glob("*.parquet"))
            part = pl.concat([part, dose(choose(Shards(AUDITED, (*written, part))))])
        write_shard(folder, "rows", number, part, AUDITED)
    return open_shards(folder / "rows", AUDITED)


def apply_findings(rows: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """ROWS with the actions done: dropped rows left out, masked spans replaced by `[EMAIL]` and the like.

    A flagged row stays as it is, and so does every character outside a masked span. Row ids stay those of the rows as
    given.

    Raises:
        CorpusError: a finding blocks, asks to mask without saying where, or is about a row that is not there.
    """
    rows, findings = ROWS.check(rows), FINDINGS.check(findings)
    _check_applicable(rows, findings)
    dropped = findings.filter(pl.col("action") == "drop").select("row_id").unique()
    kept = rows.join(dropped, on="row_id", how="anti", maintain_order="left").with_row_index("place")
    spans = _spans(findings.filter(pl.col("action") == "mask").join(dropped, on="row_id", how="anti"))
    hidden = pl.col("row_id").is_in(list(spans))
    records = kept.filter(hidden).to_dicts()
    for record in records:
        record["messages"] = _masked(record["messages"], spans[record["row_id"]])
    masked = pl.DataFrame(records, schema=kept.schema)
    return ROWS.check(pl.concat([kept.filter(~hidden), masked]).sort("place"))


def down_weighted(findings: pl.DataFrame) -> pl.Series:
    """Ids of the rows that FINDINGS weigh down."""
    return findings.filter(pl.col("action") == "down_weight")["row_id"].unique()


def marked(rows: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Columns row_id and spans: where answers refuse, hedge or protect personal data once `findings` are applied.

    Args:
        rows: ROWS as given; rows of which nothing is known are left out.
        findings: FINDINGS about them.
    """
    hidden = _spans(findings.filter(pl.col("action") == "mask"))
    masked = {row_id: {turn: _lengths(spans) for turn, spans in of.items()} for row_id, of in hidden.items()}
    return spans_of(rows, findings, masked)


def assemble(rows: pl.DataFrame, pairs: pl.DataFrame, *, held_out_share: float, seed: int) -> pl.DataFrame:
    """AUDITED: the corpus rows, then the pairs; every group in one split, pairs always in `train`.

    Args:
        rows: ROWS that were kept.
        pairs: PAIRS.
        held_out_share: expected share of groups held out, 0 <= share < 1.
        seed: another seed draws another split.
    """
    held_out = held_out_groups(rows, pairs, share=held_out_share, seed=seed)
    return pl.concat([corpus_rows(rows, held_out), dose(pairs)])


def corpus_rows(
    rows: pl.DataFrame, held_out: Collection[str], light: pl.Series | None = None, weight: float = 1.0
) -> pl.DataFrame:
    """ROWS that were kept, as AUDITED.

    Args:
        held_out: groups that are held out.
        light: ids of rows that are weighted down.
        weight: of those; all others weigh 1.
    """
    is_out = pl.col("group").is_in(pl.Series(list(held_out), dtype=pl.String).implode())
    lighter = pl.lit(False) if light is None else pl.col("row_id").is_in(light.implode())
    return AUDITED.check(
        ROWS.check(rows).with_columns(
            origin=pl.lit("corpus"),
            category=pl.lit(None, pl.String),
            split=pl.when(is_out).then(pl.lit("held_out")).otherwise(pl.lit("train")),
            weight=pl.when(lighter).then(weight).otherwise(1.0),
            spans=pl.lit(None, SPANS),
        )
    )


def dose(pairs: pl.DataFrame) -> pl.DataFrame:
    """PAIRS as AUDITED."""
    groups = [default_group(chat) for chat in PAIRS.check(pairs)["messages"].to_list()]
    group = pl.Series("group", groups, dtype=pl.String)
    spans = pl.Series("spans", [pair_spans(chat) for chat in pairs["messages"].to_list()], dtype=SPANS)
    return AUDITED.check(pairs.with_columns(group, spans, origin="kind", split=pl.lit("train"), weight=pl.lit(1.0)))


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


def _lengths(spans: Sequence[tuple[int, int, str]]) -> Moved:
    """Where placeholders come to stand, and how long each is."""
    return [(s, e, len(PLACEHOLDERS.get(finding, _FOREIGN_PLACEHOLDER))) for s, e, finding in _merged(spans)]


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
