"""What time does to a release: what is served stays served, and what is no longer as it was certified is flagged.

Newer probes ask for a recheck, a waiver that ended for a person. Neither moves the pointer: it moves by `promote` and
`rollback` alone. A newer version of this package changes no digest here, so it raises no flag.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from safety_assets.errors import SafetyAssetsError
from safety_assets.flows import check_functions as of
from safety_assets.flows import models
from safety_assets.flows.release import demand_released, released_record
from safety_assets.flows.signed import hold_reasons
from safety_assets.flows.sources import source_digest
from safety_assets.flows.tasks import project_tasks
from safety_assets.flows.workspace import Workspace
from safety_assets.store import digest_json

Kind = Literal["older_probes", "waiver_ended"]


@dataclass(frozen=True)
class Flag:
    """Something that is no longer as it was when a release was certified."""

    kind: Kind
    sentence: str


@dataclass(frozen=True)
class Due:
    """A recheck that a release waits for.

    Args:
        recipe: whose released weights are asked the newer probes.
        run_key: the same for the same weights and probes, so that it is queued once.
        why: a sentence.
    """

    recipe: str
    run_key: str
    why: str


def flags(ws: Workspace, record: Mapping) -> tuple[Flag, ...]:
    """What of the current record is no longer as it was certified; the files of the project are read now."""
    try:
        now = {"probes": source_digest(ws.project, "probe_files")}
    except SafetyAssetsError:
        now = {}  # what cannot be read is told by the gate
    return flags_of(record["release"], now, of.today())


def flags_of(release: Mapping, now: Mapping[str, str], today: date) -> tuple[Flag, ...]:
    """The flags that follow from a release, what its sources hold now, and the day.

    Args:
        now: `probes` to the digest of the probe files as they are; one that is not named is not compared.
    """
    return (*_older_probes(release, now), *_ended_waivers(release, today))


def rechecks_due(release: Mapping | None, now: Mapping[str, str]) -> tuple[Due, ...]:
    """What a release waits for: its weights scored on the probes as they are now.

    Args:
        release: what is released; None when nothing is.
        now: as of `flags_of`.
    """
    if release is None:
        return ()
    return tuple(
        Due(release["recipe"], digest_json([release["weights"], now["probes"]]), flag.sentence)
        for flag in _older_probes(release, now)
    )


def due(ws: Workspace) -> tuple[Due, ...]:
    """The rechecks that are due in a project, for a sensor or schedule to queue.

    Raises:
        StoreError: the pointer is broken.
        ProjectError: the probes cannot be read.
    """
    record = released_record(ws)
    if record is None:
        return ()
    return rechecks_due(record["release"], {"probes": source_digest(ws.project, "probe_files")})


def on_newer_probes(ws: Workspace) -> tuple[str, ...]:
    """What there is against the released weights when they are asked the probes as they are now: holds, waivers that
    ended, and what the gate says; empty when it would approve them. The base is asked too, and the pointer stays.

    Raises:
        SafetyAssetsError: nothing whole is released, or base, probes or tasks cannot be read.
    """
    from safety_assets.flows.gating import exam_from, gate

    folder, record = demand_released(ws)
    release = record["release"]
    ended = (flag.sentence for flag in _ended_waivers(release, of.today()))
    exam = exam_from(ws.project.probes, ws.policy, project_tasks(ws.project))
    decision = gate(ws, models.base(ws.project), folder, exam).decision
    said = () if decision.status == "approved" else decision.reasons
    return (*hold_reasons(ws.project, release["weights"]), *ended, *said)


def _older_probes(release: Mapping, now: Mapping[str, str]) -> Iterable[Flag]:
    then, current = release.get("digests", {}).get("probes"), now.get("probes")
    if then and current and then != current:
        yield Flag(
            "older_probes",
            f"{release['recipe']} is certified under older probes: {then[:12]}, and they are {current[:12]} now. It "
            "stays served; score it again.",
        )


def _ended_waivers(release: Mapping, today: date) -> Iterable[Flag]:
    for waiver in release.get("decision", {}).get("waivers", ()):
        if date.fromisoformat(waiver["until"]) < today:
            yield Flag(
                "waiver_ended",
                f"The waiver of {waiver['check']} by {waiver['who']} ended on {waiver['until']}. What is served stays "
                "served; renew it, or release another.",
            )
