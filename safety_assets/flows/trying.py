"""Which repaired candidate of a rejected recipe is next, read from the store: one at a time, until one is approved."""

from dataclasses import dataclass

from safety_assets.errors import StoreError
from safety_assets.flows.release import decision_of
from safety_assets.flows.workspace import Workspace
from safety_assets.store import Artefact

CHECKPOINT = "finetuned_checkpoint"


@dataclass(frozen=True)
class Next:
    """A candidate to be made, and the digest of the checkpoint that it repairs."""

    recipe: str
    repairs: str


def next_candidate(ws: Workspace, recipe: str) -> Next | None:
    """The first repair of a rejected recipe that was not tried on its current checkpoint.

    None where the recipe has no decision, was not rejected, has no repair left, or one was approved.
    """
    decided = _decided(ws, recipe)
    if decided is None or decision_of(decided).status != "rejected":
        return None
    checkpoint = decided.manifest.inputs.get(CHECKPOINT)
    if checkpoint is None:
        return None
    for name in ws.project.recipe(recipe).candidates():
        tried = _decided(ws, name)
        if tried is None or _repairs(ws, tried) != checkpoint:
            return Next(name, checkpoint)
        if decision_of(tried).status == "approved":
            return None
    return None


def _decided(ws: Workspace, recipe: str) -> Artefact | None:
    try:
        return ws.store.find("release_decision", recipe)
    except StoreError:
        return None  # damaged: decided anew


def _repairs(ws: Workspace, decided: Artefact) -> str | None:
    """The checkpoint that the weights of a decision were made from."""
    try:
        return ws.store.open(decided.manifest.inputs[CHECKPOINT]).manifest.inputs.get(CHECKPOINT)
    except (KeyError, StoreError):
        return None
