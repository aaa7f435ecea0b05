"""Where a project stands: every current artefact with what is red and stale about it, the last runs, what is served."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter

from safety_assets.errors import SafetyAssetsError, StoreError
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.finished import ASSET as FINISHED
from safety_assets.flows.gates import WORDS, Lineage, inspect
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.inputs import name_of, partition_of, wanted_inputs
from safety_assets.flows.release import objections, released_folder, released_record
from safety_assets.flows.validity import flags
from safety_assets.flows.workspace import Workspace
from safety_assets.records import Verdict
from safety_assets.store import WHOLE, Artefact

RELEASE = "released_model"
DEAR = ("injection_ratio",)
"""Made as late as can be: a sweep of trainings, in vain where a cheaper check is red."""


@dataclass(frozen=True)
class Standing:
    """One current artefact.

    Args:
        red: its checks that do not pass, blocking or not.
        num_passed: its checks that pass.
        stale: why it is not what would be made now, one sentence each.
    """

    artefact: Artefact
    red: tuple[Verdict, ...]
    num_passed: int
    stale: tuple[str, ...]

    @property
    def blocking(self) -> tuple[Verdict, ...]:
        """The red checks that gates refuse for."""
        required = {check.name for check in CHECKS.get(self.artefact.asset, ()) if check.blocking}
        return tuple(verdict for verdict in self.red if verdict.check in required)


def standings(ws: Workspace) -> Iterator[Standing]:
    """Every current artefact in the order of the graph; observed inputs as they were last read."""
    for asset in GRAPH:
        for partition in ws.store.partitions(asset):
            yield standing_of(ws, ws.store.current(asset, partition))


def standing_of(ws: Workspace, artefact: Artefact) -> Standing:
    """One artefact with its verdicts and with what changed since it was made."""
    verdicts = [verdict_of(ws, artefact, check) for check in CHECKS.get(artefact.asset, ())]
    red = tuple(verdict for verdict in verdicts if not verdict.passed)
    lineage = Lineage(ws, RELEASE)
    lineage.compare(artefact)
    return Standing(artefact, red, len(verdicts) - len(red), tuple(dict.fromkeys(lineage.reasons)))


def sentence(verdict: Verdict) -> str:
    """A red check in words."""
    return f"{verdict.check} {WORDS[verdict.status]}. {' '.join(verdict.reasons) or 'It gave no reason.'}"


@dataclass(frozen=True)
class Served:
    """What serving reads.

    Args:
        record: the current record of the pointer.
        problems: why the gate would not release these very weights again today; empty when it would.
    """

    record: dict
    problems: tuple[str, ...]


def served(ws: Workspace) -> Served | None:
    """What is released now, every byte behind it read again; None when nothing is."""
    record = released_record(ws)
    if record is None:
        return None
    release, problems = record["release"], []
    try:
        released_folder(ws)
    except SafetyAssetsError as error:
        problems.append(str(error))
    problems += [*(flag.sentence for flag in flags(ws, record)), *objections(ws, release)]
    return Served(record, tuple(dict.fromkeys(problems)))


@dataclass(frozen=True)
class Run:
    """What one run made. The run id is empty for what a terminal made or an observation read."""

    run_id: str
    ended_at: str
    made: tuple[str, ...]


def last_runs(ws: Workspace, limit: int = 5) -> list[Run]:
    """The newest runs first, from the manifests of the store; what cannot be read is left out."""
    made: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for path in (ws.store.root / "objects").glob("*/manifest.json"):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["asset"] == FINISHED:  # what `score` may find again is nobody's run
                continue
            entry = (found["made_at"], name_of(found["asset"], found["partition"]))
            alone = "" if found["run_id"] else found["made_at"]
            made.setdefault((found["run_id"], alone), []).append(entry)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a broken artefact is named where it is used
    runs = [Run(run_id, max(entries)[0], tuple(n for _, n in sorted(entries))) for (run_id, _), entries in made.items()]
    return sorted(runs, key=lambda run: run.ended_at, reverse=True)[:limit]


@dataclass(frozen=True)
class Disk:
    """Bytes under the storage root, and bytes free on its disk."""

    used: int
    free: int


def disk(ws: Workspace) -> Disk:
    """How much the store takes and how much is left."""
    root = ws.store.root
    used = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) if root.exists() else 0
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    return Disk(used, shutil.disk_usage(there).free)


@dataclass(frozen=True)
class Explanation:
    """Why an asset is as it is.

    Args:
        state: missing, damaged (its files are not what its manifest says), red, stale, refused (its gate would not
            open), warned (only checks that block nothing are red) or green.
        reasons: one sentence each; empty when green.
        mend: what to put right first, when the next command alone will not do.
        command: the next command to type; empty when there is nothing to do.
    """

    state: str
    reasons: tuple[str, ...]
    mend: str = ""
    command: str = ""


FINE = ("green", "warned")
"""States in which nothing has to be done."""


def explain(ws: Workspace, asset: str, partition: str) -> Explanation:
    """Every reason why an asset is not green, and the step that is next, the furthest upstream first."""
    state, reasons = _state(ws, asset, partition)
    if GRAPH[asset].gated or asset == "release_decision":
        refused = inspect(ws, asset, partition).reasons
        state = "refused" if refused and state in ("green", "warned", "missing") else state
        reasons += [reason for reason in refused if reason not in reasons]
    if state in FINE:
        return Explanation(state, tuple(reasons))
    mend, command = _next(ws, asset, partition)
    return Explanation(state, tuple(reasons), mend, command)


def _state(ws: Workspace, asset: str, partition: str) -> tuple[str, list[str]]:
    """An asset by itself, every byte of it read; and why it is not green."""
    try:
        artefact = _whole(ws, asset, partition)
    except StoreError as error:
        return "damaged", [str(error)]
    if artefact is None:
        return "missing", [f"{name_of(asset, partition)} was never materialized."]
    now = standing_of(ws, artefact)
    state = "red" if now.blocking else "stale" if now.stale else "warned" if now.red else "green"
    return state, [*map(sentence, now.red), *now.stale]


def _whole(ws: Workspace, asset: str, partition: str) -> Artefact | None:
    """The current artefact with its files as they were made; None when it was never made, StoreError when damaged."""
    artefact = ws.store.find(asset, partition)
    if artefact is not None:
        artefact.verify()
    return artefact


def _next(ws: Workspace, asset: str, partition: str) -> tuple[str, str]:
    """What to put right, and the command that follows: of the first step on the way that is not in order."""
    for name, own in steps_to(ws, asset, partition):
        command = f"safety-assets materialize {name}" + (f" --recipe {own}" if own != WHOLE else "")
        try:
            artefact = _whole(ws, name, own)
        except StoreError:
            return "", command  # what is damaged is made again in its place
        if artefact is None:
            return "", command
        now = standing_of(ws, artefact)
        if now.stale:
            return "", command
        if now.blocking:
            return sentence(now.blocking[0]), command
    return "", f"safety-assets materialize {asset}" + (f" --recipe {partition}" if partition != WHOLE else "")


def way_to(ws: Workspace, asset: str) -> list[str]:
    """What has to be made for an asset, each after what it is made from, and the asset itself."""
    return [*_upstream_first(ws, asset), asset]


def steps_to(ws: Workspace, asset: str, partition: str) -> list[tuple[str, str]]:
    """The same with the partition of each; before a repaired candidate comes what it repairs."""
    found: list[tuple[str, str]] = []
    for name in way_to(ws, asset):
        wanted = wanted_inputs(ws, name, partition) if GRAPH[name].repaired else {}
        found += [(name, wanted[name])] if name in wanted else []
        found.append((name, partition_of(name, partition)))
    return found


def _used(ws: Workspace, asset: str) -> set[str]:
    """Every asset that this project makes this one from, directly or not."""
    found: set[str] = set()
    pending = [asset]
    while pending:
        name = pending.pop()
        behind = {*wanted_inputs(ws, name), *GRAPH[name].also} - found
        found |= behind
        pending += behind
    return found


def _upstream_first(ws: Workspace, asset: str) -> list[str]:
    used = _used(ws, asset)
    names = [name for name in GRAPH if name in used and not GRAPH[name].observed]
    order = TopologicalSorter({name: [n for n in wanted_inputs(ws, name) if n in names] for name in names})
    order.prepare()
    found: list[str] = []
    ready = list(order.get_ready())
    while ready:
        name = min(ready, key=lambda one: one in DEAR)
        ready.remove(name)
        found.append(name)
        order.done(name)
        ready += order.get_ready()
    return found
