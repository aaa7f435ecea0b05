"""A corpus audited by itself, without a project: findings in one file, counts that add up."""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from safety_assets.corpus.account import foreseen
from safety_assets.corpus.audit import Question, audit
from safety_assets.corpus.ingest import write_rows
from safety_assets.datafiles import DataFiles
from safety_assets.errors import StoreError
from safety_assets.evals.probes import read_probes
from safety_assets.flows.audit import usual_processes
from safety_assets.frames import Shards, open_shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import FINDINGS, PAIRS, QUARANTINE, ROWS, SOURCES, TASKS


def audit_alone(
    corpus: Path, policy: CorpusPolicy, probes: Path, *, findings: Path | None = None, processes: int | None = None,
    report: Callable[[Mapping[str, object]], None] = lambda message: None,
) -> dict:  # fmt: skip
    """Audit files that belong to no project.

    Args:
        corpus: a file or folder of chats.
        policy: thresholds, and the action per finding.
        probes: folder of probes that must not stand in a row.
        findings: Parquet file that FINDINGS are written to.
        processes: how many work at once; by default one per core where there are several shards.
        report: takes how far it is.

    Returns:
        A JSON value: totals (in = kept + dropped + quarantined; a row that a finding blocks counts as dropped, and is
        in `blocked` too), findings (finding to number), actions (finding to action to number), rows (masked, flagged,
        ...), sources, seconds.

    Raises:
        SafetyAssetsError: corpus or probes cannot be read, or the findings cannot be written.
    """
    began = time.perf_counter()
    asked = Question(probes=read_probes(probes), tasks=TASKS.empty(), pairs=PAIRS.empty(), policy=policy)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        report({"event": "reading", "of_what": str(corpus)})
        write_rows([DataFiles(path=corpus)], folder)
        rows, quarantine = open_shards(folder / "rows", ROWS), open_shards(folder / "quarantine", QUARANTINE)
        number = processes or usual_processes(rows)

        def told(done: int, of: int) -> None:
            report({"event": "audit", "of_what": "audit", "done": done, "of": of})

        found = audit(rows, asked, folder, processes=number, report=told).findings
        if findings is not None:
            _put(found, findings)
        counts = foreseen(rows, quarantine, found)
        sources = open_shards(folder / "sources", SOURCES).whole().to_dicts()
    seconds = {"processes": number, "seconds": round(time.perf_counter() - began, 3)}
    return {"corpus": str(corpus), **_told(counts), "sources": sources, **seconds}


def _told(counts: dict) -> dict:
    totals = {"in": counts["lines"], **{name: counts[name] for name in ("kept", "dropped", "quarantined")}}
    rows = {name: counts[name] for name in ("masked", "flagged", "down_weighted", "blocked")}
    actions = counts["actions"]
    numbers = {finding: sum(by_action.values()) for finding, by_action in actions.items()}
    return {"totals": totals, "findings": numbers, "actions": actions, "rows": rows}


def _put(found: Shards, path: Path) -> None:
    """Write all findings as one Parquet file, atomically."""
    fresh = path.with_name(f".new-{path.name}")
    try:
        found.lazy().select(list(FINDINGS.columns)).sink_parquet(fresh, compression="zstd")
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error}", do="name a file in a folder you may write") from error
