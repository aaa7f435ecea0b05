"""The audit of the corpus: what it is asked, what it found and did, what is new since the last one."""

import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from safety_assets.corpus.audit import Question, audit, write_left
from safety_assets.corpus.coverage import never_refused
from safety_assets.corpus.decisions import read_decisions, settled
from safety_assets.corpus.labels import LABELLED, read_labels
from safety_assets.corpus.passes import Report
from safety_assets.corpus.report import audit_page, since
from safety_assets.errors import StoreError
from safety_assets.flows.closeness import close_rows, quota_page
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.labels import labels_of, labels_page
from safety_assets.flows.tasks import examined_rows
from safety_assets.flows.workspace import Markdown, Workspace
from safety_assets.frames import Shards
from safety_assets.records import DECISIONS, FINDINGS, PAIRS, PROBES, ROWS, TASKS
from safety_assets.store import Artefact, write_frame, write_json

ASSET = "corpus_audit"
MOST_PROCESSES = 8
"""Of an audit that nobody gave a number."""


def write_audit(ws: Workspace, inputs: Mapping[str, Artefact], folder: Path) -> Mapping[str, object]:
    """Write findings, coverage, decisions, labels, summary and page; the fact is what is new since the last audit."""
    rows, asked = inputs["raw_corpus"].shards("rows", ROWS), _asked(ws, inputs, read_decisions(ws.project.decisions))
    last = _last(ws)
    found = audit(rows, asked, folder, processes=processes(ws, rows), report=_reporter(ws, rows, ASSET))
    decisions = settled(asked.decisions, found.findings.lazy(), rows.lazy())
    found.coverage.write_parquet(folder / "coverage.parquet")
    write_frame(folder, "decisions", decisions, DECISIONS)
    labels, left = labels_of(read_labels(ws.project.labels), rows, found.findings, ws.policy.corpus)
    write_frame(folder, "labelled", labels, LABELLED)
    write_json(folder, "summary", {"num_rows": rows.height, "num_findings": found.findings.height, "num_left": left})
    more = [labels_page(labels, left, ws.policy.corpus.max_bad_share), *quota_page(ws, inputs.get("corpus_closeness"))]
    (folder / "page.md").write_text(audit_page(rows, found.findings, decisions, more), encoding="utf-8")
    return {"since_last": since(last, (rows, found.findings)) if last else "This is the first audit.\n"}


def write_residue(ws: Workspace, audited: Shards, made_from: Artefact, folder: Path) -> None:
    """Write the findings on what is left, by the same detectors on the same probes, tasks, pairs and decisions.

    Args:
        audited: AUDITED.
        made_from: the audit whose findings were applied.
    """
    used = made_from.manifest.inputs
    behind = {name: ws.store.open(used[name]) for name in GRAPH[ASSET].inputs if name in used}
    asked = _asked(ws, behind, made_from.frame("decisions", DECISIONS))
    report = _reporter(ws, audited, "residue")
    write_left(audited, asked, folder, processes=processes(ws, audited), report=report)


def audit_shown(artefact: Artefact) -> dict[str, object]:
    """Counts by kind, coverage, decisions, the page, and what is new."""
    findings = artefact.shards("findings", FINDINGS)
    kinds = findings.lazy().group_by("finding", "action")
    counts = kinds.agg(pl.len().alias("findings"), pl.col("row_id").n_unique()).sort("finding").collect()
    covered = pl.read_parquet(artefact.path / "coverage.parquet")
    return {
        "rows": artefact.json("summary")["num_rows"],
        "findings": findings.height,
        "by_kind": counts,
        "coverage": covered,
        "never_refused": Markdown("".join(f"- {sentence}\n" for sentence in never_refused(covered))),
        "decisions": artefact.frame("decisions", DECISIONS),
        "since_last": Markdown(str(artefact.manifest.facts.get("since_last", ""))),
        "page": Markdown((artefact.path / "page.md").read_text(encoding="utf-8")),
    }


def processes(ws: Workspace, rows: Shards) -> int:
    """How many processes audit: what the project says, else one for each core where there are several shards."""
    return ws.project.settings.processes or usual_processes(rows)


def usual_processes(rows: Shards) -> int:
    """One for a corpus of one shard, else one for each core that may be used, at most eight."""
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES) if len(rows) > 1 else 1


def _asked(ws: Workspace, inputs: Mapping[str, Artefact], decisions: pl.DataFrame) -> Question:
    return Question(
        probes=inputs["probe_suite"].frame("probes", PROBES),
        tasks=inputs["task_set"].frame("tasks", TASKS),
        pairs=inputs["refusal_pairs"].frame("pairs", PAIRS),
        policy=ws.policy.corpus,
        held_out=examined_rows(ws, inputs["task_set"], inputs["raw_corpus"], inputs["refusal_pairs"]),
        categories=ws.policy.injection.categories,
        decisions=decisions,
        close=close_rows(ws, inputs.get("corpus_closeness")),
    )


def _last(ws: Workspace) -> tuple[Shards, Shards] | None:
    """Rows and findings of the audit that is current now; None when there is none that can be read."""
    try:
        last = ws.store.find(ASSET)
        if last is None:
            return None
        raw = ws.store.open(last.manifest.inputs["raw_corpus"])
        return raw.shards("rows", ROWS), last.shards("findings", FINDINGS)
    except (StoreError, KeyError):
        return None


def _reporter(ws: Workspace, rows: Shards, what: str) -> Report:
    """Tells how far a long audit is; a short one says nothing."""
    if len(rows) == 1:
        return lambda done, of: None
    return lambda done, of: ws.report({"event": "audit", "of_what": what, "done": done, "of": of})
