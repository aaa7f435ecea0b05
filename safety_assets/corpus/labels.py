"""A sample of rows for people to label good or bad: drawn, written as a sheet, read back, laid over the corpus.

Rows are drawn by a hash of seed and row id, so the sample does not depend on the order of rows, a few new rows change
few of its rows, and a label holds for the same row of a later delivery. A bad row of the sample that has left the
corpus since counts on: taking out the bad rows that were drawn, and no others, would make the sample better than the
corpus. Another seed draws afresh. `bad_share` says what the labels show.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from safety_assets.corpus.clean import apply_findings
from safety_assets.errors import CorpusError
from safety_assets.frames import Shards
from safety_assets.records import ROWS, Table
from safety_assets.store import digest_bytes

GOOD, BAD = "good", "bad"

SAMPLE = Table("sample", {
    "row_id": (pl.String, "content hash of the row"),
    "draw": (pl.Int64, "seed of the draw"),
    "chat": (pl.String, "the chat as it is left after masking, a turn per paragraph, each with its role"),
    "label": (pl.String, "to be filled in: good or bad"),
    "who": (pl.String, "to be filled in: who labelled"),
})  # fmt: skip

LABELS = Table("labels", {
    "row_id": (pl.String, "content hash of the row"),
    "draw": (pl.Int64, "seed of the draw for which it was labelled"),
    "label": (pl.String, "good or bad"),
    "who": (pl.String, "who labelled"),
})  # fmt: skip

LABELLED = Table("labelled", {
    "row_id": (pl.String, "content hash of the row"),
    "label": (pl.String, "good or bad; null: nobody labelled it yet"),
    "who": (pl.String, "who labelled"),
    "state": (pl.String, "sample; left: bad, labelled for this draw, not in the corpus any more; other: not counted"),
})  # fmt: skip


def left_ids(rows: Shards, findings: Shards) -> Iterator[str]:
    """Ids of the rows that no finding drops, in order.

    Args:
        rows: ROWS.
        findings: FINDINGS, a shard for each shard of rows.
    """
    for part, found in zip(rows.lazy_parts(), findings.lazy_parts(), strict=True):
        dropped = found.filter(pl.col("action") == "drop").select("row_id")
        yield from part.select("row_id").join(dropped, on="row_id", how="anti").collect()["row_id"]


def drawn(row_ids: Iterable[str], n: int, seed: int) -> list[str]:
    """The row ids that are drawn, in the order of the draw; one after the other is enough to draw from any number."""
    return heapq.nsmallest(n, row_ids, key=lambda row: digest_bytes(f"{seed}:{row}".encode()))


def sheet(sample: Sequence[str], seed: int, labels: pl.DataFrame, rows: Shards, findings: Shards) -> pl.DataFrame:
    """SAMPLE of the drawn rows in the order of the draw, with the labels that there are; people fill in the others.

    Args:
        sample: drawn row ids.
        seed: of the draw.
        labels: LABELS.
        rows: ROWS.
        findings: FINDINGS, a shard for each shard of rows; what they mask is masked.
    """
    known = {row: (label, who) for row, _, label, who in LABELS.check(labels).iter_rows()}
    wanted = pl.col("row_id").is_in(list(sample))
    chats: dict[str, str] = {}
    for part, found in zip(rows.lazy_parts(), findings.lazy_parts(), strict=True):
        masked = found.filter(wanted & (pl.col("action") == "mask") & pl.col("start").is_not_null()).collect()
        left = apply_findings(ROWS.check(part.filter(wanted).collect()), masked)
        chats |= {row: _chat(chat) for row, chat in left.select("row_id", "messages").iter_rows()}
    lines = ((row, seed, chats[row], *known.get(row, ("", ""))) for row in sample)
    return pl.DataFrame(list(lines), schema=SAMPLE.schema, orient="row")


def read_labels(path: Path) -> pl.DataFrame:
    """LABELS out of a filled in sheet or a file of labels (CSV); rows whose label is still empty are left out.

    None when there is no such file.

    Raises:
        CorpusError: the file has no such columns, a label is another word, nobody signed it, or one row has two.
    """
    if not path.exists():
        return LABELS.empty()
    try:
        frame = pl.read_csv(path, infer_schema=False).fill_null("")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CorpusError(f"{path} cannot be read as CSV: {error}", do="save the filled in sheet as CSV") from error
    missing = [name for name in LABELS.columns if name not in frame.columns]
    if missing:
        expected = "row_id, draw, label and who, with commas between"
        raise CorpusError(f"{path} has no column {missing[0]}", expected=expected, do="save the sheet as CSV again")
    labels: dict[str, dict[str, str]] = {}
    for line, record in enumerate(frame.select(list(LABELS.columns)).iter_rows(named=True), 2):
        _take(labels, {name: text.strip() for name, text in record.items()}, f"{path.name}, record {line}")
    return LABELS.frame([{**record, "draw": int(record["draw"])} for record in labels.values()])


def _take(labels: dict[str, dict[str, str]], record: dict[str, str], place: str) -> None:
    record["label"] = record["label"].casefold()
    if not record["label"]:
        return
    if record["label"] not in (GOOD, BAD):
        raise CorpusError(f"{place} is labelled {record['label']!r:.40}", expected=f"{GOOD} or {BAD}", do="correct it")
    if not record["who"]:
        raise CorpusError(f"{place} does not say who labelled it", expected="a name in the column who", do="sign it")
    if not record["draw"].isdecimal():
        found = f"{place} has the draw {record['draw']!r:.40}"
        raise CorpusError(found, expected="the number that the sheet has there", do="put it back")
    if labels.setdefault(record["row_id"], record)["label"] != record["label"]:
        found = f"{place} labels row {record['row_id']} again, and otherwise"
        raise CorpusError(found, expected="one label per row", do="agree on one and remove the other")


def joined(labels: pl.DataFrame, newer: pl.DataFrame) -> pl.DataFrame:
    """LABELS of both, sorted by row; the newer one holds where a row has two."""
    both = pl.concat([LABELS.check(labels), LABELS.check(newer)])
    return both.unique("row_id", keep="last").sort("row_id")


def labelled(sample: Sequence[str], seed: int, labels: pl.DataFrame, present: Collection[str]) -> pl.DataFrame:
    """LABELLED: the drawn rows in the order of the draw, then the other rows with a label.

    Args:
        sample: drawn row ids.
        seed: of the draw.
        labels: LABELS.
        present: ids of the rows with a label that are in the corpus now.
    """
    given = LABELS.check(labels)
    ids = pl.DataFrame({"row_id": pl.Series(list(sample), dtype=pl.String)})
    in_sample = ids.join(given, on="row_id", how="left", maintain_order="left").with_columns(state=pl.lit("sample"))
    gone = (pl.col("label") == BAD) & (pl.col("draw") == seed) & ~pl.col("row_id").is_in(list(present))
    state = pl.when(gone).then(pl.lit("left")).otherwise(pl.lit("other"))
    others = given.join(ids, on="row_id", how="anti", maintain_order="left").with_columns(state=state)
    return LABELLED.check(pl.concat([in_sample, others]))


def _chat(messages: Sequence[Mapping[str, str]]) -> str:
    return "\n\n".join(f"[{message['role']}] {message['content']}" for message in messages)
