"""From a failed run in Dagster's history to alerts: one for each red check, refusal and broken step."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from safety_assets.alerts.alert import Alert, Kind
from safety_assets.corpus.passes import masked_text
from safety_assets.defs.guard import GATE, KIND
from safety_assets.errors import SafetyAssetsError
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.release import released_record
from safety_assets.flows.workspace import Workspace

READ = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
PARTITION = "dagster/partition"
RED_STEP = "DagsterAssetCheckFailedError"
LONGEST = 1000
"""Characters of a sentence: a traceback's message may be a page."""


@dataclass(frozen=True)
class Found:
    """One thing that went wrong, before it is put in words for people."""

    kind: Kind
    asset: str
    check: str
    said: str


def alerts_of(instance: dg.DagsterInstance, run: dg.DagsterRun, ws: Workspace) -> list[Alert]:
    """Everything that people should know of a failed run."""
    recipe, serving = run.tags.get(PARTITION, ""), serves(ws)
    webserver = ws.project.settings.operation.alerts.webserver
    link = f"{webserver.rstrip('/')}/runs/{run.run_id}" if webserver else ""
    return [
        Alert(
            kind=one.kind, asset=one.asset, recipe=recipe, check=one.check, sentence=_masked(one.said), run=run.run_id,
            link=link, serving=serving, next=_next(one, recipe, run.job_name),
        )
        for one in _found(instance, run)
    ]  # fmt: skip


def serves(ws: Workspace) -> str:
    """What is served now, in a line."""
    try:
        now = released_record(ws)
    except SafetyAssetsError as error:
        return f"cannot be told, {error.found}"
    if now is None:
        return "nothing is released"
    return f"{now['release']['recipe']}, weights {now['release']['weights'][:12]}, since {now['at']}"


def _found(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[Found]:
    """Red checks and broken steps; the run's own end only where neither explains it."""
    steps: dict[str, str] = {}
    found: list[Found] = []
    ends: list[Found] = []
    for record in instance.get_records_for_run(run.run_id, of_type=READ, limit=10_000).records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.step_key:
            steps[event.step_key] = event.asset_key.path[-1] if event.asset_key else event.step_key
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE:
            ends.append(Found("infrastructure", run.job_name, "", event.message or "the run failed"))
        else:
            found += _of_step(event, steps)
    return found or ends


def _of_step(event: dg.DagsterEvent, steps: dict[str, str]) -> Iterator[Found]:
    if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
            yield Found("gate", check.asset_key.path[-1], check.check_name, check.description or "it gave no reason")
        return
    step = event.step_key or "?"
    failed = event.step_failure_data
    if failed.error is not None and failed.error.cls_name == RED_STEP:
        return  # its checks say why
    metadata = failed.user_failure_data.metadata if failed.user_failure_data else {}
    refused = KIND in metadata and metadata[KIND].value == GATE
    said = failed.user_failure_data.description if failed.user_failure_data else failed.error_display_string
    yield Found("gate" if refused else "infrastructure", steps.get(step, step), "", said or "the step failed")


def _masked(said: str) -> str:
    """One line, personal data masked, of bounded length."""
    return masked_text(" ".join(said.split())[:LONGEST])


def _next(one: Found, recipe: str, job: str) -> str:
    """The command that tells more, or goes on where it broke."""
    if one.asset not in GRAPH:
        return (
            "safety-assets status" if one.kind == "gate" else f"safety-assets doctor, then launch the job {job} again"
        )
    own = f" --recipe {recipe}" if GRAPH[one.asset].partitioned and recipe else ""
    return f"safety-assets {'explain' if one.kind == 'gate' else 'materialize'} {one.asset}{own}"
