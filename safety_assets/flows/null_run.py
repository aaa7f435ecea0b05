"""Base against base: how many verdicts flip where the same weights are asked the same twice."""

from collections.abc import Mapping

from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.workspace import Workspace
from safety_assets.store import Artefact


def null_run(ws: Workspace, baseline: Artefact | None) -> Mapping[str, float | int | str]:
    """`num_flips`, `num_items` and `flip_share` (0..1) of the base's second run; empty where there is none.

    Args:
        baseline: a safety_baseline. Its check `verdicts_repeat` compares the two runs, and refuses any flip.
    """
    if baseline is None:
        return {}
    check = next(one for one in CHECKS["safety_baseline"] if one.name == "verdicts_repeat")
    return verdict_of(ws, baseline, check).numbers
