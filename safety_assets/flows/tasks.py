"""The task set: the project's file, or held-out rows of its corpus when it names none."""

from pathlib import Path

import polars as pl

from safety_assets.corpus.given import Tally
from safety_assets.corpus.held_out import held_out_groups, held_out_tasks
from safety_assets.corpus.ingest import row_batches
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.tasks import read_tasks
from safety_assets.flows.workspace import Workspace
from safety_assets.project import Project
from safety_assets.records import PAIRS, ROWS, TASKS
from safety_assets.store import Artefact, write_frame, write_json

SPLIT_SEED = 0
"""Seed of the held-out split: fixed, so that recipes are compared on the same rows."""


def write_tasks(ws: Workspace, folder: Path) -> None:
    """Write the tasks and where they are from.

    The corpus is read as `raw_corpus` reads it, so that the task set stays an input that depends on no other asset.
    """
    tasks = project_tasks(ws.project)
    write_frame(folder, "tasks", tasks, TASKS)
    write_json(folder, "origin", {"held_out_of_corpus": ws.project.task_set is None, "items": tasks.height})


def project_tasks(project: Project) -> pl.DataFrame:
    """TASKS of a project: its task set, or rows held out of its corpus."""
    rule = project.settings.task_answer
    if project.task_set is not None:
        return read_tasks(project.task_set, rule)
    pairs = read_pairs(project.refusal_pairs).rows
    rows = (batch.rows for batch in row_batches(project.corpus, Tally()))
    return held_out_tasks(rows, pairs, policy=project.policy().corpus, seed=SPLIT_SEED, rule=rule)


def examined_rows(ws: Workspace, tasks: Artefact, raw: Artefact, pairs: Artefact) -> set[str]:
    """Ids of the held-out rows, where the task set was taken from them; none where it is a file of its own."""
    if not tasks.json("origin")["held_out_of_corpus"]:
        return set()
    rows, share = raw.shards("rows", ROWS), ws.policy.corpus.held_out_share
    groups = held_out_groups(rows, pairs.frame("pairs", PAIRS), share=share, seed=SPLIT_SEED)
    held_out = rows.lazy().filter(pl.col("group").is_in(list(groups)))
    return set(held_out.select("row_id").collect()["row_id"])
