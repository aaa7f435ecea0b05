"""Sensors of folders that people put files into: corpus, pairs and probes, and checkpoints from elsewhere.

Both wait until what was put there is at rest, go by content, and read it only when names, sizes or times changed.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg

from safety_assets.defs.jobs import gate_external, measure
from safety_assets.defs.owners import tagged
from safety_assets.defs.sensors import LOOK_EVERY, STATUS
from safety_assets.defs.spec import CHECKPOINTS
from safety_assets.errors import ProjectError, SafetyAssetsError
from safety_assets.flows.arrivals import at_rest, contents, looks, measured_files
from safety_assets.flows.external_folder import complete_folders, content_digest, external_root, last_touched, stamp
from safety_assets.project import open_project


@dg.sensor(job=measure, tags=tagged("data_steward"), minimum_interval_seconds=LOOK_EVERY, default_status=STATUS)
def edited_corpus(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One measurement per content of corpus, pairs and probes. Training stays the schedule's or a person's choice.

    The cursor holds what the files looked like, their contents, and how many measurements were asked for: going back
    to an earlier content is news, dropping the same file again is none.
    """
    project = open_project()
    try:
        files = measured_files(project)
    except SafetyAssetsError as error:
        return dg.SkipReason(str(error))
    seen: dict = json.loads(context.cursor or '{"looks": "", "contents": "", "asked": 0}')
    now = looks(files)
    if now == seen["looks"]:
        return dg.SkipReason(f"{len(files)} files, as they were")
    settled = project.settings.operation.settled
    if not at_rest(files, settled):
        return dg.SkipReason(f"a file was touched within the last {settled:g} s: it may still be written")
    found = contents(files)
    if found == seen["contents"]:
        cursor = json.dumps({**seen, "looks": now})
        return dg.SensorResult(
            skip_reason="files were touched or repeated, and their contents are known", cursor=cursor
        )
    asked = seen["asked"] + 1
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{found}-{asked}")],
        cursor=json.dumps({"looks": now, "contents": found, "asked": asked}),
    )


@dg.sensor(job=gate_external, tags=tagged("model_owner"), minimum_interval_seconds=LOOK_EVERY, default_status=STATUS)
def external_checkpoints(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One verdict per content of a checkpoint: the same files put there again, or under another name, are no news.

    The cursor holds what each folder looked like and its content, so that gigabytes are read once. One folder a tick:
    reading it is bounded by the time that Dagster gives a tick.
    """
    project = open_project()
    settled = project.settings.operation.settled
    try:
        folders = complete_folders(external_root(project))
    except ProjectError as error:
        return dg.SkipReason(str(error))
    seen: dict[str, list[str]] = json.loads(context.cursor) if context.cursor else {}
    new = next((folder for folder in folders if _is_news(folder, seen, settled)), None)
    if new is None:
        return dg.SkipReason(f"{len(folders)} checkpoints, none of them new and at rest for {settled:g} s")
    looked, content = stamp(new), content_digest(new)
    twin = next((name for name, (_, known) in seen.items() if known == content), None)
    cursor = json.dumps({**seen, new.name: [looked, content]})
    if twin is not None:
        return dg.SensorResult(skip_reason=f"{new.name} holds what {twin} held when it was gated", cursor=cursor)
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=content, partition_key=new.name)],
        dynamic_partitions_requests=[CHECKPOINTS.build_add_request([new.name])],
        cursor=cursor,
    )


def _is_news(folder: Path, seen: Mapping[str, Sequence[str]], settled: float) -> bool:
    still = time.time() - last_touched(folder) >= settled
    return still and (folder.name not in seen or seen[folder.name][0] != stamp(folder))


SENSORS = [edited_corpus, external_checkpoints]
