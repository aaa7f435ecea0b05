"""The corpus in SQL, on the bundled project: the views hold what the artefacts hold, the documented queries answer."""

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from safety_assets.corpus.audit import Question, audit
from safety_assets.corpus.clean import write_audited
from safety_assets.errors import ProjectError
from safety_assets.flows.assets import materialize
from safety_assets.flows.views import FILE, ask, described, write_views
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.records import AUDITED, FINDINGS, PAIRS, PROBES, ROWS, TASKS
from safety_assets.store import Store

ROOT = Path(__file__).resolve().parents[2]
NO_INPUTS: dict = {"inputs": {}, "code_version": "x"}
PAGE = ROOT / "docs" / "roles" / "data.md"


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The bundled corpus, audited against no probes; assembled without the sweep that chooses the share."""
    store = Store(tmp_path_factory.mktemp("store"))
    ws = Workspace(project=open_project(ROOT / "data"), store=store, launch=lambda order: order)
    made = {name: materialize(ws, name).artefact for name in ("raw_corpus", "refusal_pairs")}
    rows, pairs = made["raw_corpus"].shards("rows", ROWS), made["refusal_pairs"].frame("pairs", PAIRS)
    law = ws.policy.corpus
    asked = Question(probes=PROBES.empty(), tasks=TASKS.empty(), pairs=pairs, policy=law)
    found = store.publish("corpus_audit", lambda f: {"n": len(audit(rows, asked, f).findings)}, **NO_INPUTS)
    findings = found.shards("findings", FINDINGS)
    store.publish(
        "audited_corpus",
        lambda f: {
            "n": len(write_audited(rows, findings, pairs, policy=law, seed=0, folder=f, choose=lambda corpus: pairs))
        },
        **NO_INPUTS,
    )
    return ws


def queries() -> list[str]:
    section = PAGE.read_text().split("## Five queries")[1]
    return re.findall(r"```sql\n(.*?)```", section, re.DOTALL)


def test_there_are_five() -> None:
    assert len(queries()) == 5


@pytest.mark.parametrize("query", queries(), ids=range(5))
def test_each_documented_query_answers_on_the_bundled_corpus(ws: Workspace, query: str) -> None:
    answer = ask(ws.store, query)
    assert answer.rows
    assert all(any(value is not None for value in row) for row in answer.rows)


def test_the_views_hold_what_the_artefacts_hold(ws: Workspace) -> None:
    rows = ws.store.current("raw_corpus").frame("rows", ROWS)
    heights = {name: ask(ws.store, f"SELECT count(*) FROM {name}").rows[0][0] for name in ("rows", "findings", "turns")}
    assert heights == {
        "rows": rows.height,
        "findings": ws.store.current("corpus_audit").frame("findings", FINDINGS).height,
        "turns": int(rows["messages"].list.len().sum()),
    }
    first = ask(ws.store, "SELECT role, text FROM turns ORDER BY source, line, turn LIMIT 2").rows
    assert first == [(m["role"], m["content"]) for m in rows["messages"][0].to_list()][:2]


def test_dropped_rows_are_those_that_findings_drop(ws: Workspace) -> None:
    dropped = ask(ws.store, queries()[1]).rows
    findings = ws.store.current("corpus_audit").frame("findings", FINDINGS).filter(pl.col("action") == "drop")
    per_kind = findings.group_by("finding").agg(pl.col("row_id").n_unique())
    assert {finding: num for finding, num, _ in dropped} == dict(per_kind.iter_rows())


def test_the_file_holds_views_only_and_is_replaced_whole(ws: Workspace) -> None:
    import duckdb

    path = ws.store.root / FILE
    with duckdb.connect(str(path), read_only=True) as old:
        assert old.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
        assert write_views(ws.store) == path
        assert old.execute("SELECT count(*) FROM pairs").fetchone() == (
            ws.store.current("refusal_pairs").frame("pairs", PAIRS).height,
        )
    assert path.stat().st_size < 1_000_000
    assert not list(ws.store.root.glob(".new-*"))


def test_nothing_can_be_changed_and_a_wrong_query_is_told_in_words(ws: Workspace) -> None:
    for query, words in (
        ("CREATE TABLE t (x INT)", "more than a question"),
        ("DROP VIEW rows", "more than a question"),
        ("COPY (SELECT 1) TO 'written'", "more than a question"),
        ("SELECT 1; SELECT 2", "more than a question"),
        ("SELECT nothing FROM rows", "the query fails: .*Expected: a query over rows, "),
        ("SELECT * FROM read_csv('project.yaml')", "the query fails: .*Cannot access"),
    ):
        with pytest.raises(ProjectError, match=words):
            ask(ws.store, query)


def test_views_of_what_was_never_made_are_empty_and_have_their_columns(ws: Workspace, tmp_path: Path) -> None:
    nothing = replace(ws, store=Store(tmp_path / "none"))
    assert ask(nothing.store, "SELECT * FROM audited").columns == tuple(AUDITED.columns)
    assert ask(nothing.store, "SELECT text FROM turns").rows == []
    assert [view for view, _ in described(nothing.store).rows] == [
        "audited", "findings", "pairs", "quarantine", "rows", "turns",
    ]  # fmt: skip
    assert described(nothing.store).rows == described(ws.store).rows


def test_a_table_from_before_there_was_a_column_shows_it_empty(tmp_path: Path) -> None:
    import duckdb

    from safety_assets.flows.views import _view
    from safety_assets.frames import Shards

    row = {"row_id": "r0", "messages": [], "origin": "corpus", "category": None, "group": "g", "split": "train"}
    AUDITED.frame([row]).drop("spans").write_parquet(tmp_path / "old.parquet")
    with duckdb.connect() as db:
        db.execute(_view("audited", Shards(AUDITED, (tmp_path / "old.parquet",)), AUDITED))
        assert db.execute("SELECT row_id, spans FROM audited").fetchall() == [("r0", None)]
