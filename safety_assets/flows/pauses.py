"""Letting a training go on that the monitor paused for a person."""

from safety_assets.errors import ProjectError
from safety_assets.flows.gates import admit
from safety_assets.flows.inputs import digests
from safety_assets.flows.training import ASSET
from safety_assets.flows.workspace import Workspace, work_key
from safety_assets.training.pauses import Pause, answer, read_pause


def let_go_on(ws: Workspace, recipe: str, *, by: str, why: str) -> Pause:
    """Answer the pause of a recipe's training; launched again, it goes on from its saved state.

    Raises:
        ProjectError: no training of this recipe, on its inputs as they stand, is paused.
        TrainingError: no name or reason is given.
        GateRefused: a required check upstream is red.
    """
    ws.project.recipe(recipe)
    state = ws.store.work(work_key(ASSET, recipe, digests(admit(ws, ASSET, recipe)))) / "state"
    pause = read_pause(state)
    if pause is None or pause.by:
        raise ProjectError(
            f"no training of {recipe} waits for a person",
            expected="one that its monitor paused, on inputs that have not changed since",
            do=f"launch it: safety-assets materialize finetuned_checkpoint --recipe {recipe}",
        )
    return answer(state, by=by, why=why)
