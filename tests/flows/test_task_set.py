"""Where tasks come from: the project's file in any shape, or held-out rows of its corpus."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import small_project

from safety_assets.flows import models
from safety_assets.flows.assets import materialize
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.inputs import observe
from safety_assets.flows.workspace import Markdown, Workspace
from safety_assets.project import open_project
from safety_assets.records import AUDITED, FINDINGS, TASKS


def sweep(order: dict) -> dict:
    """A dose-response curve as a sweep gives it, without any training."""
    points = [{"share": share, "safety": 9.0, "over_refusal": 0.0} for share in order["shares"]]
    return {"base": {"safety": 9.0, "over_refusal": 0.0}, "points": points}


def opened(ws: Workspace) -> Workspace:
    """The project as the next run opens it."""
    return replace(ws, project=open_project(ws.project.folder), launch=sweep)


def changed(ws: Workspace, **settings: object) -> Workspace:
    given = small_project.project_settings(models.base(ws.project))
    small_project.write_yaml(ws.project.folder / "project.yaml", {**given, **settings})
    return opened(ws)


def rows_file(ws: Workspace) -> Path:
    return ws.project.folder / "corpus" / "rows.jsonl"


def test_held_out_rows_are_asked_and_never_trained_on(fresh: Workspace) -> None:
    ws = changed(fresh, task_set=None)
    small_project.write_lines(
        rows_file(ws).with_name("more.jsonl"),
        [
            {"question": f"Good day. {row['messages'][0]['content']} Thanks.", "answer": "See elsewhere.", "group": "x"}
            for row in small_project.corpus_rows()
        ],
    )
    made = {}
    for name in ("base_model", "probe_suite", "raw_corpus", "refusal_pairs", "corpus_audit", "injection_ratio"):
        made[name] = materialize(ws, name)
    audited = materialize(ws, "audited_corpus").artefact
    task_set = observe(ws, "task_set").artefact
    asked = task_set.frame("tasks", TASKS)["messages"].to_list()
    assert asked
    rows = audited.frame("rows", AUDITED).filter(pl.col("origin") == "corpus")
    first = pl.Series([chat[:1] for chat in rows["messages"].to_list()], dtype=rows.schema["messages"])
    assert rows.filter(first.is_in(asked))["split"].unique().to_list() == ["held_out"]
    findings = made["corpus_audit"].artefact.frame("findings", FINDINGS).filter(pl.col("finding") == "task_overlap")
    assert findings["source"].unique().to_list() == ["more.jsonl"]
    assert findings.height == len(asked)
    for check in CHECKS["audited_corpus"]:
        assert verdict_of(ws, audited, check).passed, check.name
    shown = made["raw_corpus"].metadata["sources"]
    assert isinstance(shown, Markdown)
    assert shown.text == "- more.jsonl: question/answer, 48 rows\n- rows.jsonl: messages, 48 rows"


def test_the_task_set_is_new_when_anything_that_decides_it_changes(fresh: Workspace) -> None:
    ws = changed(fresh, task_set=None)
    first = observe(ws, "task_set")
    again = observe(opened(ws), "task_set")
    assert again.cached
    seen = {first.artefact.digest}
    policy = small_project.policy_settings()
    policy["corpus"]["held_out_share"] = 0.5
    small_project.write_yaml(ws.project.folder / "policy.yaml", policy)
    seen.add(observe(opened(ws), "task_set").artefact.digest)
    seen.add(observe(changed(ws, task_set=None, task_answer={"pattern": r"page (\d+)"}), "task_set").artefact.digest)
    small_project.write_lines(rows_file(ws), small_project.corpus_rows()[:40])
    seen.add(observe(opened(ws), "task_set").artefact.digest)
    assert len(seen) == 4


def test_a_task_file_of_another_shape_is_read_by_its_columns(fresh: Workspace) -> None:
    (fresh.project.folder / "tasks.csv").write_text("ask,reply\nHow many?,There are #### 3\n")
    task_set = {"path": "tasks.csv", "columns": {"question": "ask", "answer": "reply"}}
    ws = changed(fresh, task_set=task_set, task_answer={"after": "####"})
    artefact = observe(ws, "task_set").artefact
    assert artefact.frame("tasks", TASKS)["answer"].to_list() == ["3"]
    assert artefact.json("origin") == {"held_out_of_corpus": False, "items": 1}


def test_other_names_for_the_columns_are_another_corpus(fresh: Workspace) -> None:
    columns = {"prompt": "a", "completion": "b"}
    small_project.write_lines(rows_file(fresh), [{"a": "How many?", "b": "There are two."}])
    one = materialize(changed(fresh, corpus=[{"path": "corpus", "columns": columns}]), "raw_corpus")
    swapped = {"prompt": "b", "completion": "a"}
    two = materialize(changed(fresh, corpus=[{"path": "corpus", "columns": swapped}]), "raw_corpus")
    assert not two.cached
    assert one.artefact.digest != two.artefact.digest
