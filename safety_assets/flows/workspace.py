"""What every flow is handed: project, store, who runs it, how training is launched; and what it gives back."""

import functools
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from safety_assets.errors import StoreError
from safety_assets.flows.code_version import code_version
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.sources import digest_settings, source_digest
from safety_assets.frames import Shards
from safety_assets.policy import Policy
from safety_assets.project import Project
from safety_assets.records import Verdict
from safety_assets.store import WHOLE, Artefact, Store, digest_json

log = logging.getLogger(__name__)

Launch = Callable[[dict], dict]
"""Runs a training order (a JSON value), usually in a child process, and returns its result (a JSON value)."""


@dataclass(frozen=True)
class Markdown:
    """Text that a user interface renders."""

    text: str


@dataclass(frozen=True)
class Preview:
    """The first rows of a table, and how many it has."""

    first: pl.DataFrame
    rows: int


@dataclass(frozen=True)
class Svg:
    """A small drawing, drawn when it is looked at."""

    draw: Callable[[], str]

    @property
    def text(self) -> str:
        """The SVG."""
        return self.draw()


PREVIEW_ROWS = 5


def preview(table: Shards) -> Preview:
    """The beginning of a table of any size."""
    return Preview(table.head(PREVIEW_ROWS), table.height)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One run's view of a project.

    Args:
        launch: how training orders are run: in a child process under Dagster, directly elsewhere.
        report: receives small progress messages.
        force: do the work again although the same work was done before.
    """

    project: Project
    store: Store
    launch: Launch
    run_id: str = ""
    report: Callable[[Mapping[str, object]], None] = lambda message: log.info("%s", dict(message))
    force: bool = False

    @functools.cached_property
    def policy(self) -> Policy:
        """The policy in force now."""
        return self.project.policy()

    @functools.cached_property
    def policy_digest(self) -> str:
        """Digest of the policy in force now."""
        return digest_settings(self.policy)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a flow gives back.

    Args:
        cached: the same work was done before and nothing was redone.
        verdicts: the asset's checks on this artefact.
        metadata: plain values, frames, Markdown and drawings worth showing.
    """

    artefact: Artefact
    cached: bool
    verdicts: Sequence[Verdict] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)


def make(
    ws: Workspace,
    asset: str,
    write: Callable[[Path], Mapping[str, object] | None],
    *,
    inputs: Mapping[str, str],
    partition: str = WHOLE,
) -> tuple[Artefact, bool]:
    """Do a piece of work once: the artefact, and whether it was there already.

    Args:
        write: fills a folder with the artefact's files; returns facts that are no part of its digest.
        inputs: name to digest of everything the work reads, sources included.
    """

    def steady(folder: Path) -> Mapping[str, object] | None:
        facts = write(folder)
        if not GRAPH[asset].gated:
            _unchanged(ws, asset, partition, inputs)
        return facts

    key = work_key(asset, partition, inputs)
    with ws.store.lock(key, asset if partition == WHOLE else f"{asset} [{partition}]"):
        found = None if ws.force else ws.store.made(key)
        if found is not None:
            return ws.store.point(asset, partition, found.digest), True
        if ws.force:
            shutil.rmtree(ws.store.work(key))
        version = code_version(asset)
        made = ws.store.publish(
            asset, steady, partition=partition, inputs=inputs, code_version=version, run_id=ws.run_id, key=key
        )
    return made, False


def work_key(asset: str, partition: str, inputs: Mapping[str, str]) -> str:
    """The digest under which a piece of work is known: the same work has the same key in every run."""
    return digest_json([asset, partition, dict(inputs), code_version(asset)])


def _unchanged(ws: Workspace, asset: str, partition: str, inputs: Mapping[str, str]) -> None:
    """StoreError when a source changed between its digest and the end of the work."""
    changed = [name for name, now in source_digests(ws, asset, partition).items() if inputs[name] != now]
    if changed:
        raise StoreError(f"{changed[0]} changed while {asset} was made from it", do=f"materialize {asset} again")


def source_digests(ws: Workspace, asset: str, partition: str = WHOLE) -> dict[str, str]:
    """The sources of an asset with their content digests now."""
    return {name: source_digest(ws.project, name, partition) for name in GRAPH[asset].sources}
