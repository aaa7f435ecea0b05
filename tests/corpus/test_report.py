"""The pages of an audit: counts that are right, examples without personal data, the difference between two audits."""

from collections.abc import Callable

import polars as pl
import pytest

from safety_assets.corpus.account import account, foreseen
from safety_assets.corpus.audit import audit_rows
from safety_assets.corpus.clean import apply_findings, corpus_rows, dose, down_weighted
from safety_assets.corpus.report import audit_page, audited_page, since
from safety_assets.frames import Shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED, DECISIONS, FINDINGS, PROBES, QUARANTINE, ROWS, TASKS

ADDRESS = "ann.lee@mail.example"
PHONE = "+44 20 7946 0958"


@pytest.fixture
def rows(make_rows: Callable, chat: Callable) -> pl.DataFrame:
    return make_rows(
        chat(f"Please write to {ADDRESS} about the {'long ' * 20} form", f"I wrote to {ADDRESS} and to {PHONE}."),
        chat("Where is the desk?", "The desk is on the left."),
        chat("Where is the desk?", "The desk is on the left."),
        chat("Is it open | today?", "Yes."),
    )


def found_in(rows: pl.DataFrame, policy: CorpusPolicy, pairs: pl.DataFrame) -> pl.DataFrame:
    return audit_rows(rows, probes=PROBES.empty(), tasks=TASKS.empty(), pairs=pairs, policy=policy)


def shards(*frames: pl.DataFrame, table=ROWS) -> Shards:
    return Shards(table, frames)


def test_the_page_counts_and_shows_nothing_personal(rows: pl.DataFrame, policy: CorpusPolicy, pairs) -> None:
    findings = found_in(rows, policy, pairs)
    decision = {"row_id": "r3", "finding": "low_quality", "action": "keep", "who": "Ann", "why": "a | b", "state": "x"}
    page = audit_page(shards(rows), shards(findings, table=FINDINGS), DECISIONS.frame([decision]))
    assert "# Audit of 4 rows" in page
    assert "| email | mask | 2 | 1 |" in page
    assert "| exact_duplicate | drop | 1 | 1 |" in page
    assert "| r3 | low_quality | keep | Ann | a \\| b | x |" in page
    assert "lee" not in page
    assert "7946" not in page
    assert "Nothing was found." in audit_page(shards(rows), shards(FINDINGS.empty(), table=FINDINGS), DECISIONS.empty())


def test_masked_spans_show_before_and_after_without_what_was_masked(rows, policy: CorpusPolicy, pairs) -> None:
    findings = found_in(rows, policy, pairs)
    audited = pl.concat([corpus_rows(apply_findings(rows, findings), set()), dose(pairs)])
    counts = account(rows, QUARANTINE.empty(), findings, audited)
    page = audited_page(counts, shards(rows), shards(findings, table=FINDINGS))
    assert "| lines | 4 |" in page
    assert "| exact_duplicate | 1 |" in page
    assert "-Please write to a**.***@****.******* about the" in page
    assert "+Please write to [EMAIL] about the" in page
    assert "lee" not in page
    assert "7946" not in page, "what is flagged is shown masked too"
    assert "Nothing was masked." in audited_page(counts, shards(rows), shards(FINDINGS.empty(), table=FINDINGS))


def test_since_counts_rows_that_came_and_findings_that_changed(
    rows, policy: CorpusPolicy, pairs, make_rows, chat
) -> None:
    findings = found_in(rows, policy, pairs)
    before = shards(rows), shards(findings, table=FINDINGS)
    assert since(before, before) == "0 rows came, 0 went. Every row has the findings and actions that it had.\n"
    later = rows.filter(pl.col("row_id") != "r2")
    stricter = found_in(later, policy.model_copy(update={"actions": {**policy.actions, "email": "drop"}}), pairs)
    now = shards(later.head(1), later.slice(1)), shards(stricter, table=FINDINGS)
    said = since(before, now)
    assert said.startswith("0 rows came, 1 went.")
    for line in ("| email | drop | 1 | 0 |", "| email | mask | 0 | 1 |", "| exact_duplicate | drop | 0 | 1 |"):
        assert line in said
    assert "low_quality" not in said
    assert since(now, before).startswith("1 rows came, 0 went.")


def test_weights_go_to_the_rows_that_the_policy_weighs_down(rows, policy: CorpusPolicy, pairs) -> None:
    light = policy.model_copy(update={"actions": {**policy.actions, "low_quality": "down_weight"}, "down_weight": 0.25})
    findings = found_in(rows, light, pairs)
    audited = corpus_rows(apply_findings(rows, findings), set(), down_weighted(findings), light.down_weight)
    assert dict(audited.select("row_id", "weight").iter_rows()) == {"r0": 1.0, "r1": 1.0, "r3": 0.25}
    assert set(dose(pairs)["weight"]) == {1.0}
    counts = account(rows, QUARANTINE.empty(), findings, audited)
    assert (counts["down_weighted"], counts["kept"], counts["dropped"]) == (1, 3, 1)
    AUDITED.check(audited)


@pytest.mark.parametrize("blocking", [(), ("low_quality",), ("low_quality", "exact_duplicate", "email")])
def test_what_would_become_of_every_line_adds_up(rows, policy: CorpusPolicy, pairs, blocking: tuple[str, ...]) -> None:
    actions = {name: action for name, action in policy.actions.items() if name not in blocking}
    findings = found_in(rows, policy.model_copy(update={"actions": actions}), pairs)
    quarantine = QUARANTINE.frame([{"source": "a", "line": 9, "reason": "r", "excerpt": "e"}])
    parts = shards(rows.head(2), rows.slice(2))
    first = pl.col("row_id").is_in(["r0", "r1"])
    found = shards(findings.filter(first), findings.filter(~first), table=FINDINGS)
    counts = foreseen(parts, shards(quarantine, table=QUARANTINE), found)
    assert counts["lines"] == counts["kept"] + counts["dropped"] + counts["quarantined"] == 5
    dropped_anyway = {(): 2, ("low_quality",): 1}.get(blocking, 0)
    assert counts["dropped"] == dropped_anyway + counts["blocked"]
    assert counts["blocked"] == len(blocking)
