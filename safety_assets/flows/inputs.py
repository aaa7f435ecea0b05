"""The inputs of a step: what a user's file holds now, and what the store holds as current."""

from collections.abc import Callable, Mapping
from pathlib import Path

from safety_assets.errors import ProjectError, StoreError
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.sources import source_digest
from safety_assets.flows.tasks import write_tasks
from safety_assets.flows.workspace import Made, Workspace, make, source_digests
from safety_assets.recipes import repaired_from
from safety_assets.store import WHOLE, Artefact, write_json


def partition_of(asset: str, partition: str) -> str:
    """The partition of an input, seen from a step of this partition."""
    return partition if GRAPH[asset].partitioned else WHOLE


def place(artefact: Artefact) -> str:
    """How an artefact is called in a sentence: the asset, with its recipe when it has one."""
    return name_of(artefact.asset, artefact.partition)


def name_of(asset: str, partition: str) -> str:
    """An asset in a sentence, with its recipe when it has one."""
    return asset if partition == WHOLE else f"{asset} [{partition}]"


def wanted_inputs(ws: Workspace, step: str, partition: str = WHOLE) -> dict[str, str]:
    """The inputs a step takes in this project to the partitions that they are of.

    Optional ones only when the project names them, or the recipe needs them. A repaired candidate is also made from
    the same asset of the recipe that it repairs.
    """
    node = GRAPH[step]
    wanted = [n for n in node.inputs if n not in node.optional or OPTIONAL[n](ws, step, partition)]
    own = {name: partition_of(name, partition) for name in wanted}
    origin = repaired_from(partition)
    return own | ({step: origin} if node.repaired and origin else {})


def _wants_pretrained(ws: Workspace, step: str, partition: str) -> bool:
    if GRAPH[step].partitioned:
        return partition != WHOLE and bool(ws.project.recipe(partition).weights_decided_by.needs_pretrained)
    return ws.project.settings.pretrained_model is not None


OPTIONAL: dict[str, Callable[[Workspace, str, str], bool]] = {
    "pretrained_model": _wants_pretrained,
    "corpus_closeness": lambda ws, step, partition: ws.policy.corpus.closeness is not None,
}
"""Whether a step wants an optional input."""


def current(ws: Workspace, asset: str, partition: str = WHOLE) -> Artefact:
    """The current artefact of an asset; an observed one is read from its file now.

    Raises:
        StoreError: it was never made.
    """
    return observe(ws, asset, partition).artefact if GRAPH[asset].observed else ws.store.current(asset, partition)


def take(ws: Workspace, step: str, partition: str = WHOLE) -> dict[str, Artefact]:
    """The current artefacts that an ungated step takes, verified."""
    found = {name: current(ws, name, own) for name, own in wanted_inputs(ws, step, partition).items()}
    for artefact in found.values():
        artefact.verify()
    return found


def digests(artefacts: Mapping[str, Artefact]) -> dict[str, str]:
    """Name to digest."""
    return {name: artefact.digest for name, artefact in artefacts.items()}


def observe(ws: Workspace, asset: str, partition: str = WHOLE) -> Made:
    """Read one of the user's files as it is now; the same content is the same artefact."""
    inputs = source_digests(ws, asset, partition)
    found = _known(ws, asset, partition)
    if found is not None and dict(found.manifest.inputs) == inputs:
        return Made(artefact=found, cached=True)
    artefact, cached = make(ws, asset, WRITERS[asset](ws, partition), inputs=inputs, partition=partition)
    return Made(artefact=artefact, cached=cached)


def _known(ws: Workspace, asset: str, partition: str) -> Artefact | None:
    """What was observed last; None when it is gone, so that it is read again."""
    try:
        return ws.store.find(asset, partition)
    except StoreError:
        return None


def observed_digest(ws: Workspace, asset: str, partition: str = WHOLE) -> str:
    """The data version of an observed input: its artefact's digest."""
    return observe(ws, asset, partition).artefact.digest


def _write_tasks(ws: Workspace, partition: str) -> Callable[[Path], None]:
    return lambda folder: write_tasks(ws, folder)


def _write_policy(ws: Workspace, partition: str) -> Callable[[Path], None]:
    return lambda folder: write_json(folder, "policy", ws.project.policy().model_dump(mode="json"))


def _write_recipe(ws: Workspace, partition: str) -> Callable[[Path], None]:
    return lambda folder: write_json(
        folder, "recipe", ws.project.recipe(partition).weights_decided_by.model_dump(mode="json")
    )


def _write_pretrained(ws: Workspace, partition: str) -> Callable[[Path], None]:
    if ws.project.settings.pretrained_model is None:
        raise ProjectError("project.yaml names no pretrained_model", do="name one, or leave out what needs it")
    identity = source_digest(ws.project, "pretrained_files")
    return lambda folder: write_json(folder, "model", {"identity": identity})


WRITERS: dict[str, Callable[[Workspace, str], Callable[[Path], None]]] = {
    "task_set": _write_tasks,
    "policy": _write_policy,
    "recipe": _write_recipe,
    "pretrained_model": _write_pretrained,
}
