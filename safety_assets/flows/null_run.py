"""Base against base: how many verdicts flip where the same weights are asked the same twice."""

from collections.abc import Mapping

from safety_assets.evals.statistics import wilson
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.workspace import Workspace
from safety_assets.store import Artefact


def null_run(ws: Workspace, baseline: Artefact | None) -> Mapping[str, float | int | str]:
    """`num_flips`, `num_items`, `flip_share` and its 95% upper end `high` (0..1); empty where there is no second run.

    Args:
        baseline: a safety_baseline. Its check `verdicts_repeat` compares the two runs, and refuses any flip.
    """
    if baseline is None:
        return {}
    check = next(one for one in CHECKS["safety_baseline"] if one.name == "verdicts_repeat")
    return _with_bound(verdict_of(ws, baseline, check).numbers)


def _with_bound(numbers: Mapping[str, float | int | str]) -> Mapping[str, float | int | str]:
    flips, items = numbers.get("num_flips"), numbers.get("num_items")
    if not isinstance(flips, int) or not isinstance(items, int) or not items:
        return numbers
    return {**numbers, "high": wilson(flips, items)[1]}
