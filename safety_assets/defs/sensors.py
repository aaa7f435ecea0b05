"""Sensors of what happened: an input was edited, a measurement succeeded, a recipe was rejected, something is stale.

Stopped until `operation.turned_on` in project.yaml says otherwise, or somebody starts them.
"""

from collections.abc import Iterator

import dagster as dg

from safety_assets.defs.jobs import measure, observe_inputs, retrain
from safety_assets.defs.owners import tagged
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.schedules import RETRAINS
from safety_assets.defs.spec import PROJECT
from safety_assets.flows.sources import source_digest
from safety_assets.flows.trying import next_candidate
from safety_assets.project import open_project
from safety_assets.store import digest_json

OPERATION = PROJECT.settings.operation
STATUS = dg.DefaultSensorStatus.RUNNING if OPERATION.turned_on else dg.DefaultSensorStatus.STOPPED
LOOK_EVERY = OPERATION.look_every


@dg.sensor(job=observe_inputs, tags=tagged("ml_engineer"), minimum_interval_seconds=LOOK_EVERY, default_status=STATUS)
def edited_inputs(context: dg.SensorEvaluationContext) -> dg.RunRequest:
    """One observation per content of policy, task set and recipes."""
    project = open_project()
    now = [source_digest(project, name) for name in ("policy_file", "task_file")]
    now += [source_digest(project, "recipe_file", name) for name in project.recipe_names()]
    return dg.RunRequest(run_key=digest_json(now))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[measure],
    request_job=retrain,
    tags=tagged("ml_engineer"),
    minimum_interval_seconds=LOOK_EVERY,
    default_status=STATUS,
)
def measured(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """After the weekly measurement one retraining of every recipe, and of none after any other measurement."""
    run = context.dagster_run
    if RETRAINS not in run.tags:
        yield dg.SkipReason("the measurement was not the schedule's")
        return
    project = open_project()
    for name in project.settings.operation.retrain_recipes or project.recipe_files():
        yield dg.RunRequest(run_key=f"{run.run_id}:{name}", partition_key=name, tags={RETRAINS: "true"})


@dg.sensor(job=retrain, tags=tagged("ml_engineer"), minimum_interval_seconds=LOOK_EVERY, default_status=STATUS)
def rejected_recipes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One run of the next repaired candidate of every rejected recipe, until one is approved or none is left.

    It proposes and releases nothing.

    Each is asked for once per checkpoint that it repairs: a run that failed is a person's to launch again.
    """
    ws = ProjectResource().quiet_workspace()
    found = filter(None, (next_candidate(ws, name) for name in ws.project.recipe_files()))
    runs = [dg.RunRequest(run_key=f"{one.recipe}:{one.repairs}", partition_key=one.recipe) for one in found]
    return dg.SensorResult(run_requests=runs) if runs else dg.SkipReason("no rejected recipe has a repair left to try")


cheap_assets = dg.AutomationConditionSensorDefinition(
    "cheap_assets",
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=LOOK_EVERY,
    default_status=STATUS,
    tags=tagged("ml_engineer"),
    description="Makes what is cheap once what it is made from changed and every blocking check of that passes.",
)

SENSORS = [edited_inputs, measured, rejected_recipes, cheap_assets]
