"""What the repairs of a recipe will take: models that they ask and steps that they take, times what was measured."""

from collections.abc import Sequence

from safety_assets.recipes import Recipe
from safety_assets.repair_specs import LinearMerge, OneShotPatch, RepairSpec


def models_asked(spec: RepairSpec) -> int:
    """Models that a repair asks the calibration probes, the one it begins with or is measured against included."""
    match spec:
        case LinearMerge(share="swept"):
            return len({*spec.shares}) + 1
        case OneShotPatch():
            return spec.candidates + 1
        case _:
            return 0


def steps_taken(spec: RepairSpec, batch_rows: int) -> float:
    """Optimiser steps of `batch_rows` rows that a repair's own steps amount to."""
    if not isinstance(spec, OneShotPatch):
        return 0.0
    learnt = spec.refusals + spec.lookalikes
    rows = min(learnt, spec.batch_rows or learnt) * (2 if spec.kept else 1)
    return spec.candidates * spec.steps * rows / batch_rows


def seconds_of(specs: Sequence[RepairSpec], recipe: Recipe, *, step: float, asking: float) -> float:
    """Seconds of some repairs; reading and writing weights, and decomposing them, is not counted.

    Args:
        specs: the repairs.
        recipe: gives the rows of a step.
        step: seconds of one plain step of it.
        asking: seconds of asking one model all calibration probes.
    """
    rows = recipe.optimiser.batch_rows
    return sum(models_asked(spec) * asking + steps_taken(spec, rows) * step for spec in specs)
