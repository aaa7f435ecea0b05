"""People's labels on rows: the sample of an audit, its sheet, and a filled in sheet taken into the project."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from safety_assets.corpus import bad_share
from safety_assets.corpus.labels import (
    LABELLED,
    drawn,
    joined,
    labelled,
    left_ids,
    read_labels,
    sheet,
)
from safety_assets.errors import StoreError
from safety_assets.flows.workspace import Workspace
from safety_assets.frames import Shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import FINDINGS, ROWS, Verdict
from safety_assets.store import Artefact, replace_text

ASSET = "corpus_audit"


def labels_of(labels: pl.DataFrame, rows: Shards, findings: Shards, policy: CorpusPolicy) -> tuple[pl.DataFrame, int]:
    """LABELLED of an audit, and how many rows its sample was drawn from: those that no finding drops."""
    known, present, left = set(labels["row_id"]), set[str](), 0

    def looked_at() -> Iterator[str]:
        nonlocal left
        for row in left_ids(rows, findings):
            left += 1
            if row in known:
                present.add(row)
            yield row

    sample = drawn(looked_at(), policy.label_sample, policy.label_seed)
    return labelled(sample, policy.label_seed, labels, present), left


@dataclass(frozen=True)
class Labelling:
    """Where the labels stand, against the sample of the current audit.

    Args:
        file: that was written.
        shown: what the labels show.
        verdict: of the check.
        changed: rows that had another label before.
    """

    file: Path
    shown: bad_share.BadShare
    verdict: Verdict
    changed: int = 0


def write_sheet(ws: Workspace, path: Path) -> Labelling:
    """Write the sample of the current audit as CSV for people to fill in, the labels that there are filled in already.

    Raises:
        StoreError: there is no audit; the file is there already, or cannot be written.
    """
    audit = ws.store.current(ASSET)
    rows, findings = _audited(ws, audit)
    labels = read_labels(ws.project.labels)
    now, population = labels_of(labels, rows, findings, ws.policy.corpus)
    sample = now.filter(pl.col("state") == "sample")["row_id"].to_list()
    text = sheet(sample, ws.policy.corpus.label_seed, labels, rows, findings).write_csv()
    try:
        with path.open("x", encoding="utf-8", newline="") as out:
            out.write(text)
    except FileExistsError as error:
        raise StoreError(f"{path} exists", do="name another file, or read this one in and remove it") from error
    return _standing(ws, path, now, population)


def take_labels(ws: Workspace, path: Path) -> Labelling:
    """Take the labels of a filled in sheet into the project's file of labels; a newer label replaces an older one.

    Raises:
        CorpusError: the sheet, or the project's file, cannot be read.
        StoreError: there is no audit.
    """
    before, given = read_labels(ws.project.labels), read_labels(path)
    rows, findings = _audited(ws, ws.store.current(ASSET))
    both = before.join(given, on="row_id", how="inner", suffix="_given")
    changed = both.filter(pl.col("label") != pl.col("label_given")).height
    after = joined(before, given)
    now, population = labels_of(after, rows, findings, ws.policy.corpus)
    replace_text(ws.project.labels, after.write_csv())
    return _standing(ws, ws.project.labels, now, population, changed)


def labels_page(artefact_labels: pl.DataFrame, population: int, limit: float) -> str:
    """Markdown: what the labels show; that there are none, where there are none."""
    shown = bad_share.bad_share(LABELLED.check(artefact_labels), population)
    drawn_of = f"{shown.sampled:,} of the {population:,} rows that are left are drawn for people to label"
    if not shown.labelled:
        return f"## Labels\n\n{drawn_of}; none is labelled."
    return f"## Labels\n\n{drawn_of}. {shown}; the policy allows {limit:.1%}."


def _audited(ws: Workspace, audit: Artefact) -> tuple[Shards, Shards]:
    raw = ws.store.open(audit.manifest.inputs["raw_corpus"])
    return raw.shards("rows", ROWS), audit.shards("findings", FINDINGS)


def _standing(ws: Workspace, file: Path, now: pl.DataFrame, population: int, changed: int = 0) -> Labelling:
    limit = ws.policy.corpus.max_bad_share
    verdict = bad_share.quality_labelled(now, population, risk=ws.policy.risk, max_bad_share=limit)
    return Labelling(file, bad_share.bad_share(now, population), verdict, changed)
