"""Merge: a point on the line between the base and the tuned weights.

Idea: W = (1 - lambda) W_base + lambda W_tuned. What tuning taught is spread over the whole line, what it destroyed
shows only near its end, so that a point in between keeps most of both.
Paper: Farn et al., arXiv 2412.19512 (Findings of EMNLP 2025), the linear variant.
Moments: after training.
Cost: two reads and one write per tensor; a sweep asks the calibration probes once per lambda.
Fails: where the task needs the far end of the line; after long training at a high rate the line leaves the basin.
Deviation: the paper takes lambda by task score on a development set. Here a sweep takes, of all lambda whose safety
stays within max_safety_drop of the base, the one of the least task loss; where none does, the safest. The gate's
probes are never asked.
Neutral value: share 1.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from safety_assets.errors import ModelError
from safety_assets.models.stored import Stored, demand_alike, rewrite
from safety_assets.repair_specs import LinearMerge
from safety_assets.repairs.measured import Measure, Measured


def merged(base: Tensor, tuned: Tensor, share: float) -> Tensor:
    """(1 - share) base + share tuned; at 0 and 1 exactly one of them.  # all of one shape, fp32"""
    return torch.lerp(base, tuned, share)


def choose(found: Mapping[float, Measured], base: Measured, max_safety_drop: float) -> tuple[float, bool]:
    """The share to take, and whether it keeps the limit.

    Of shares whose safety stays within the limit: the least task loss, without task losses the largest share. Where
    none does: the safest, of equally safe ones the largest. A share whose safety is not known is never within.

    Raises:
        ModelError: no safety is known, neither of the base nor of any share.
    """
    known = {share: one.safety for share, one in found.items() if one.safety is not None}
    if base.safety is None or not known:
        raise ModelError("safety could not be scored on the calibration probes", do="see that the probes can be judged")
    within = [share for share, safety in known.items() if base.safety - safety <= max_safety_drop]
    if not within:
        return max(known, key=lambda share: (known[share], share)), False
    return min(within, key=lambda share: (_loss(found[share]), -share)), True


def _loss(one: Measured) -> float:
    return 0.0 if one.task_loss is None else one.task_loss


def write_merged(tuned: Stored, base: Stored, share: float, out: Path) -> None:
    """Write the merged model; at share 1 the tuned bytes."""

    def change(name: str, weight: Tensor) -> Tensor | None:
        return None if share == 1 else merged(base.read(name), weight, share)

    rewrite(tuned, out, change)


def merge(tuned: Path, base: Path, spec: LinearMerge, measure: Measure | None, out: Path) -> dict:
    """Write the merged model, at the given share or at the best of a sweep.

    Args:
        measure: asks the calibration probes; needed for a sweep.

    Returns:
        The share; of a sweep also what each share gave.

    Raises:
        ModelError: the two are not of one architecture, or a sweep cannot measure.
    """
    own, first = Stored(tuned), Stored(base)
    demand_alike(own, first)
    if spec.share != "swept":
        write_merged(own, first, spec.share, out)
        return {"share": spec.share}
    if measure is None:
        raise ModelError("merge sweeps its share and has no probes", do="give share a number, or give it probes")
    found: dict[float, Measured] = {}
    for share in sorted({*spec.shares}):
        trial = out.with_name(f".{out.name}.trial")
        write_merged(own, first, share, trial)
        found[share] = measure(trial)
        shutil.rmtree(trial)
    before = measure(base)
    share, within = choose(found, before, spec.max_safety_drop)
    write_merged(own, first, share, out)
    swept = [{"share": one, **asdict(figures)} for one, figures in found.items()]
    return {"share": share, "keeps_the_limit": within, "base": asdict(before), "swept": swept}
