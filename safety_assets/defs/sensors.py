"""Sensors, stopped until somebody starts them: an edited input is observed, an edited corpus is measured, a checkpoint
from elsewhere is gated, a rejected recipe is repaired.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg

from safety_assets.defs.jobs import fine_tune, gate_external, measure, observe_inputs
from safety_assets.defs.owners import tagged
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import CHECKPOINTS
from safety_assets.errors import ProjectError
from safety_assets.flows.external_folder import complete_folders, content_digest, external_root, last_touched, stamp
from safety_assets.flows.sources import source_digest
from safety_assets.flows.trying import next_candidate
from safety_assets.project import open_project
from safety_assets.store import digest_json

SETTLED_SECONDS = 30.0
"""A checkpoint is looked at once nothing in it was touched for so long: it may still be copied."""


@dg.sensor(job=observe_inputs, tags=tagged("ml_engineer"), minimum_interval_seconds=60)
def edited_inputs(context: dg.SensorEvaluationContext) -> dg.RunRequest:
    """One observation per content of policy, task set and recipes."""
    project = open_project()
    now = [source_digest(project, name) for name in ("policy_file", "task_file")]
    now += [source_digest(project, "recipe_file", name) for name in project.recipe_names()]
    return dg.RunRequest(run_key=digest_json(now))


@dg.sensor(job=measure, tags=tagged("data_steward"), minimum_interval_seconds=300)
def edited_corpus(context: dg.SensorEvaluationContext) -> dg.RunRequest:
    """One measurement per content of corpus, pairs and probes. Training stays a person's choice."""
    project = open_project()
    now = [source_digest(project, name) for name in ("corpus_files", "refusal_files", "probe_files")]
    return dg.RunRequest(run_key=digest_json(now))


@dg.sensor(job=gate_external, tags=tagged("model_owner"), minimum_interval_seconds=60)
def external_checkpoints(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One verdict per content of a checkpoint: the same files put there again, or under another name, are no news.

    The cursor holds what each folder looked like and its content, so that gigabytes are read once. One folder a tick:
    reading it is bounded by the time that Dagster gives a tick.
    """
    try:
        folders = complete_folders(external_root(open_project()))
    except ProjectError as error:
        return dg.SkipReason(str(error))
    seen: dict[str, list[str]] = json.loads(context.cursor) if context.cursor else {}
    new = next((folder for folder in folders if _is_news(folder, seen)), None)
    if new is None:
        return dg.SkipReason(f"{len(folders)} checkpoints, none of them new and at rest for {SETTLED_SECONDS:.0f} s")
    looks, content = stamp(new), content_digest(new)
    twin = next((name for name, (_, known) in seen.items() if known == content), None)
    cursor = json.dumps({**seen, new.name: [looks, content]})
    if twin is not None:
        return dg.SensorResult(skip_reason=f"{new.name} holds what {twin} held when it was gated", cursor=cursor)
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=content, partition_key=new.name)],
        dynamic_partitions_requests=[CHECKPOINTS.build_add_request([new.name])],
        cursor=cursor,
    )


def _is_news(folder: Path, seen: Mapping[str, Sequence[str]]) -> bool:
    at_rest = time.time() - last_touched(folder) >= SETTLED_SECONDS
    return at_rest and (folder.name not in seen or seen[folder.name][0] != stamp(folder))


@dg.sensor(job=fine_tune, tags=tagged("ml_engineer"), minimum_interval_seconds=60)
def rejected_recipes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One run of the next repaired candidate of every rejected recipe, until one is approved or none is left.

    Each is asked for once per checkpoint that it repairs: a run that failed is a person's to launch again.
    """
    ws = ProjectResource().quiet_workspace()
    found = filter(None, (next_candidate(ws, name) for name in ws.project.recipe_files()))
    runs = [dg.RunRequest(run_key=f"{one.recipe}:{one.repairs}", partition_key=one.recipe) for one in found]
    return dg.SensorResult(run_requests=runs) if runs else dg.SkipReason("no rejected recipe has a repair left to try")


SENSORS = [edited_inputs, edited_corpus, external_checkpoints, rejected_recipes]
