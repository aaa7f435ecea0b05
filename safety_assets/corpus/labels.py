"""A sample of rows for a person to label good or bad, and what the labels say of the corpus.

Rows are drawn by a hash of seed and row id, so the sample does not depend on the order of rows, a few new rows change
few of its rows, and it can be drawn again to see whether the labels are of this corpus. Of 300 labels the exact 95%
interval of the bad share is about 7 points wide at one bad row in ten.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from scipy.stats import beta

from safety_assets.errors import CorpusError
from safety_assets.records import Table, Verdict
from safety_assets.store import digest_bytes

SAMPLE_ROWS = 300
MAX_BAD_SHARE = 0.1
"""One bad row in ten: tuning on 10% to 25% of wrong answers degrades a domain sharply (arXiv 2509.19325)."""

GOOD, BAD = "good", "bad"
_CHECK = "quality_labelled"
_LEVEL = 0.95
_SHOWN = 3

SAMPLE = Table("sample", {
    "row_id": (pl.String, "content hash of the row"),
    "chat": (pl.String, "the chat, a turn per paragraph, each with its role"),
    "label": (pl.String, "to be filled in: good or bad"),
    "who": (pl.String, "to be filled in: who labelled"),
})  # fmt: skip

LABELS = Table("labels", {
    "row_id": (pl.String, "content hash of the row"),
    "label": (pl.String, "good or bad"),
    "who": (pl.String, "who labelled"),
})  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """A share and its exact 95% interval (Clopper and Pearson 1934), all 0 to 1."""

    low: float
    share: float
    high: float


def sample_for_labels(rows: pl.DataFrame, n: int = SAMPLE_ROWS, seed: int = 0) -> pl.DataFrame:
    """SAMPLE of rows, label and who empty, in the order of the draw; `write_csv` of it is what a person fills in.

    Args:
        rows: columns row_id and messages, such as ROWS or the corpus rows of AUDITED.
        n: how many, at least 1; all where there are fewer.
        seed: another seed draws others.
    """
    chosen = drawn(rows["row_id"].to_list(), n, seed)
    chats = dict(rows.filter(pl.col("row_id").is_in(chosen)).select("row_id", "messages").iter_rows())
    return SAMPLE.frame([{"row_id": row, "chat": _chat(chats[row]), "label": "", "who": ""} for row in chosen])


def drawn(row_ids: Iterable[str], n: int = SAMPLE_ROWS, seed: int = 0) -> list[str]:
    """The row ids that are drawn, in the order of the draw; one after the other is enough to draw from any number."""
    return heapq.nsmallest(n, row_ids, key=lambda row: digest_bytes(f"{seed}:{row}".encode()))


def read_labels(path: Path) -> pl.DataFrame:
    """LABELS out of a filled in sample (CSV); rows whose label is still empty are left out.

    Raises:
        CorpusError: the file has no such columns, a label is another word, nobody signed it, or one row has two.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False).fill_null("")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CorpusError(f"{path} cannot be read as CSV: {error}", do="save the filled in sample as CSV") from error
    missing = [name for name in LABELS.columns if name not in frame.columns]
    if missing:
        raise CorpusError(f"{path} has no column {missing[0]}", expected="row_id, label, who", do="fill in the sample")
    labels: dict[str, dict[str, str]] = {}
    for line, record in enumerate(frame.select(list(LABELS.columns)).iter_rows(named=True), 2):
        _take(labels, {name: text.strip() for name, text in record.items()}, f"{path.name}, record {line}")
    return LABELS.frame(list(labels.values()))


def _take(labels: dict[str, dict[str, str]], record: dict[str, str], place: str) -> None:
    record["label"] = record["label"].casefold()
    if not record["label"]:
        return
    if record["label"] not in (GOOD, BAD):
        raise CorpusError(f"{place} is labelled {record['label']!r:.40}", expected=f"{GOOD} or {BAD}")
    if not record["who"]:
        raise CorpusError(f"{place} does not say who labelled it", expected="a name in the column who")
    if labels.setdefault(record["row_id"], record)["label"] != record["label"]:
        raise CorpusError(f"{place} labels row {record['row_id']} again, and otherwise", expected="one label per row")


def interval(bad: int, labelled: int) -> Interval:
    """The share of bad rows and its exact two-sided 95% interval; all of 0 to 1 where nothing is labelled."""
    if not labelled:
        return Interval(0.0, 0.0, 1.0)
    tail = (1 - _LEVEL) / 2
    low = float(beta.ppf(tail, bad, labelled - bad + 1)) if bad else 0.0
    high = float(beta.ppf(1 - tail, bad + 1, labelled - bad)) if bad < labelled else 1.0
    return Interval(low, bad / labelled, high)


def quality_labelled(
    row_ids: Sequence[str],
    labels: pl.DataFrame,
    *,
    risk: Literal["high", "moderate", "research"],
    max_bad_share: float = MAX_BAD_SHARE,
    n: int = SAMPLE_ROWS,
    seed: int = 0,
) -> Verdict:
    """Whether people's labels show that few enough rows are bad.

    Fail when more of the sample is bad than the limit, or when the lower end of the interval over what is labelled so
    far is over it; pass when all is labelled and the upper end is within it; not certified otherwise. Labels are
    demanded at high risk only: at another a corpus without enough of them passes, and one that they show to be bad
    fails all the same.

    Args:
        row_ids: of the corpus that the sample was drawn from.
        labels: LABELS; those of rows that the draw does not have are not counted.
        max_bad_share: the limit, 0 to 1.
        n, seed: of the draw.
    """
    sample = drawn(row_ids, n, seed)
    known = dict(LABELS.check(labels).select("row_id", "label").iter_rows())
    told = [known[row] for row in sample if row in known]
    found = interval(told.count(BAD), len(told))
    numbers: dict[str, float | int | str] = {
        "sampled": len(sample), "labelled": len(told), "bad": told.count(BAD), "bad_share": round(found.share, 4),
        "low": round(found.low, 4), "high": round(found.high, 4), "limit": max_bad_share,
        "demanded": "yes" if risk == "high" else "no", "of_other_rows": len(known.keys() - set(sample)),
    }  # fmt: skip
    share = f"{found.share:.1%}, 95% {found.low:.1%} to {found.high:.1%}"
    said = f"{told.count(BAD)} of {len(told)} labelled rows are bad ({share})"
    missing = [row for row in sample if row not in known]
    if found.low > max_bad_share or (not missing and found.share > max_bad_share):
        reason = f"{said}; the policy allows {max_bad_share:.0%}. Mend or drop such rows, then draw and label again."
        return Verdict(check=_CHECK, status="fail", reasons=(reason,), numbers=numbers)
    reasons = _open(sample, missing, found, said, max_bad_share)
    if reasons and risk == "high":
        return Verdict(check=_CHECK, status="not_certified", reasons=reasons, numbers=numbers)
    return Verdict(check=_CHECK, status="pass", numbers=numbers)


def _open(sample: list[str], missing: list[str], found: Interval, said: str, limit: float) -> tuple[str, ...]:
    """Why labels certify nothing yet."""
    if missing or not sample:
        first = ", ".join(missing[:_SHOWN])
        return (
            f"{len(missing)} of the {len(sample)} sampled rows are not labelled, the first are {first}. "
            "At high risk a person labels the sample: fill in label and who.",
        )
    if found.high > limit:
        return (f"{said}; the upper end must be within {limit:.0%}. Draw a larger sample and label it.",)
    return ()


def _chat(messages: Sequence[Mapping[str, str]]) -> str:
    return "\n\n".join(f"[{message['role']}] {message['content']}" for message in messages)
