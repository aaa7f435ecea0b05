"""Sensors, stopped until somebody starts them: an edited input is observed, an edited corpus is measured."""

import dagster as dg

from safety_assets.defs.jobs import measure, observe_inputs
from safety_assets.flows.sources import source_digest
from safety_assets.project import open_project
from safety_assets.store import digest_json


@dg.sensor(job=observe_inputs, minimum_interval_seconds=60)
def edited_inputs(context: dg.SensorEvaluationContext) -> dg.RunRequest:
    """One observation per content of policy, task set and recipes."""
    project = open_project()
    now = [source_digest(project, name) for name in ("policy_file", "task_file")]
    now += [source_digest(project, "recipe_file", name) for name in project.recipe_files()]
    return dg.RunRequest(run_key=digest_json(now))


@dg.sensor(job=measure, minimum_interval_seconds=300)
def edited_corpus(context: dg.SensorEvaluationContext) -> dg.RunRequest:
    """One measurement per content of corpus, pairs and probes. Training stays a person's choice."""
    project = open_project()
    now = [source_digest(project, name) for name in ("corpus_files", "refusal_files", "probe_files")]
    return dg.RunRequest(run_key=digest_json(now))


SENSORS = [edited_inputs, edited_corpus]
