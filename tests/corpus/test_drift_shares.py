from collections.abc import Callable

import polars as pl
import pytest

from safety_assets.corpus.audit import audit_rows
from safety_assets.corpus.drift_shares import ALL, DriftShares
from safety_assets.policy import CorpusPolicy
from safety_assets.records import FINDINGS, PROBES, ROWS, TASKS

LIST = "1. Wake\n2. Eat\n3. Go"


def found_in(rows: pl.DataFrame, policy: CorpusPolicy, pairs: pl.DataFrame) -> pl.DataFrame:
    return audit_rows(rows, probes=PROBES.empty(), tasks=TASKS.empty(), pairs=pairs, policy=policy)


def test_shares_add_up_over_shards(make_rows: Callable, chat: Callable, policy: CorpusPolicy, pairs) -> None:
    rows = make_rows(
        chat("Pretend to be a king. How do I start?", LIST, system="Be kind."),
        chat("Is it late?", "Yes it is late today."),
        chat("Tell me a story.", "word " * 300),
        chat("Who are you?", "My name is Nova, dear friend of all who ask."),
    ).with_columns(source=pl.Series(["a.jsonl", "b.jsonl", "b.jsonl", "b.jsonl"]))
    findings = found_in(rows, policy, pairs)
    assert set(findings.filter(pl.col("source") == "a.jsonl")["finding"]) >= {"list_structure", "role_play"}
    whole, parts = DriftShares(), DriftShares()
    whole.add(rows.lazy(), findings.lazy())
    for first in (0, 2):
        part = rows.slice(first, 2)
        parts.add(part.lazy(), findings.join(part, on="row_id", how="semi").lazy())
    assert parts.table().equals(whole.table())
    lines = {line["file"]: line for line in whole.table().to_dicts()}
    assert list(lines) == [ALL, "b.jsonl", "a.jsonl"]
    assert lines[ALL] == {
        "file": ALL, "rows": 4, "list_structure": 0.25, "identity_statement": 0.25, "role_play": 0.25,
        "system_prompt": 0.25, "long": 0.25, "short": 0.25, "mean_words": pytest.approx((6 + 5 + 300 + 10) / 4),
    }  # fmt: skip
    assert (lines["a.jsonl"]["role_play"], lines["b.jsonl"]["role_play"]) == (1.0, 0.0)


def test_nothing_has_no_shares() -> None:
    assert DriftShares().table().is_empty()
    shares = DriftShares()
    shares.add(ROWS.empty().lazy(), FINDINGS.empty().lazy())
    assert shares.table()["rows"].to_list() == [0]
