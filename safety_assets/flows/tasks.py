"""The task set: the project's file, or held-out rows of its corpus when it names none."""

from pathlib import Path

import polars as pl

from safety_assets.corpus.held_out import held_out_groups, held_out_tasks
from safety_assets.corpus.ingest import read_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.tasks import read_tasks
from safety_assets.flows.workspace import Workspace
from safety_assets.records import PAIRS, ROWS, TASKS
from safety_assets.store import Artefact, write_frame, write_json

SPLIT_SEED = 0
"""Seed of the held-out split: fixed, so that recipes are compared on the same rows."""


def write_tasks(ws: Workspace, folder: Path) -> None:
    """Write the tasks and where they are from.

    The corpus is read as `raw_corpus` reads it, so that the task set stays an input that depends on no other asset.
    """
    given, rule = ws.project.task_set, ws.project.settings.task_answer
    if given is not None:
        tasks = read_tasks(given, rule)
    else:
        rows, pairs = read_rows(ws.project.corpus).rows, read_pairs(ws.project.refusal_pairs).rows
        tasks = held_out_tasks(rows, pairs, policy=ws.policy.corpus, seed=SPLIT_SEED, rule=rule)
    write_frame(folder, "tasks", tasks, TASKS)
    write_json(folder, "origin", {"held_out_of_corpus": given is None, "items": tasks.height})


def examined_rows(ws: Workspace, tasks: Artefact, raw: Artefact, pairs: Artefact) -> set[str]:
    """Ids of the held-out rows, where the task set was taken from them; none where it is a file of its own."""
    if not tasks.json("origin")["held_out_of_corpus"]:
        return set()
    rows, share = raw.frame("rows", ROWS), ws.policy.corpus.held_out_share
    groups = held_out_groups(rows, pairs.frame("pairs", PAIRS), share=share, seed=SPLIT_SEED)
    return set(rows.filter(pl.col("group").is_in(list(groups)))["row_id"])
