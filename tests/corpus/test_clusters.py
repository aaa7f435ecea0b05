from collections.abc import Callable

import polars as pl

from safety_assets.corpus.audit import audit_rows
from safety_assets.corpus.clusters import clusters
from safety_assets.corpus.report import audit_page
from safety_assets.frames import Shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import DECISIONS, FINDINGS, PROBES, ROWS, TASKS

LONG = "The desk stands on the left behind the second door, next to the lift, and it is open until six."


def test_clusters_say_which_row_stays_and_why(make_rows: Callable, chat: Callable, policy: CorpusPolicy, pairs) -> None:
    rows = make_rows(
        chat("Where is it?", LONG), chat("Where is it?", LONG), chat("Where is it?", f"{LONG} Knock."),
        chat("When is it open?", "From eight to six on weekdays."), chat("Who is there?", "The clerk, all day long."),
        chat("When is it open?", "From eight to six on weekdays."),
    ).with_columns(source=pl.lit("a (old) file.jsonl"))  # fmt: skip
    held_out = [rows["row_id"][5]]
    findings = audit_rows(
        rows, probes=PROBES.empty(), tasks=TASKS.empty(), pairs=pairs, policy=policy, held_out=held_out
    )
    first, second = clusters(findings.lazy()).rows()
    ids, lines = rows["row_id"], rows["line"]
    assert first == (ids[0], "a (old) file.jsonl", lines[0], 1, 1, "it stands earlier")
    assert second == (ids[5], "a (old) file.jsonl", lines[5], 1, 0, "it is held out")
    page = audit_page(Shards(ROWS, (rows,)), Shards(FINDINGS, (findings,)), DECISIONS.empty())
    assert "3 rows repeat 2 others; the largest clusters:" in page
    assert f"| {ids[5]} | a (old) file.jsonl | {lines[5]} | 1 | 0 | it is held out |" in page


def test_without_duplicates_there_are_none() -> None:
    assert clusters(FINDINGS.empty().lazy()).is_empty()
    empty = (Shards(ROWS, (ROWS.empty(),)), Shards(FINDINGS, (FINDINGS.empty(),)))
    assert "Duplicates" not in audit_page(*empty, DECISIONS.empty())
