"""LoX: extrapolate the low-rank part of the update that alignment was.

Idea: alignment moved the weights by D = W_base - W_pretrained, and what protects lies in few directions of D. Adding
more of them, W + alpha D_k, puts the model deeper inside the region that later tuning erodes.
Paper: Perin et al., LoX, arXiv 2506.15606 (COLM 2025), W' = W_base + alpha D_k with alpha 1.25 and k 6.
Moments: before training on the base, as published (a recipe's `start`), or after it on the tuned weights.
Cost: one decomposition per matrix, no data, no gradients; the unaligned ancestor has to be at hand.
Fails: a large alpha costs fluency; contradicted in principle by arXiv 2505.14185; after training it moves along
directions that tuning may have turned, which nobody published.
Deviation: differences are taken in fp32 (the released script takes them in the stored type); tied weights are moved
once; matrices whose shorter side exceeds 1024 are decomposed by a seeded randomised method. Tensors of one dimension
are left, as in the script.
Neutral value: strength 0.
"""

from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from safety_assets.models.stored import Stored, demand_alike, rewrite
from safety_assets.repair_specs import LowRankExtrapolation
from safety_assets.repairs.low_rank import truncated


def extrapolated(weight: Tensor, alignment: Tensor, rank: int, strength: float) -> tuple[Tensor, Tensor | None]:
    """weight + strength times the part of this rank of the alignment; rank 0 takes all.

    Args:
        weight: base or tuned.  # (m, n)
        alignment: aligned minus pretrained.  # (m, n)

    Returns:
        The moved weight, and the leading left directions; None for rank 0.  # (m, n), (m, rank)
    """
    part, directions = truncated(alignment, rank)
    return weight + strength * part, directions


def kept_share(movement: Tensor, directions: Tensor) -> float | None:
    """R of the paper: share of a movement's norm that lies in alignment's directions; None where nothing moved.

    Args:
        movement: a weight minus the ancestor's.  # (m, n)
        directions: orthonormal columns.  # (m, rank)
    """
    norm = torch.linalg.norm(movement)
    return float(torch.linalg.norm(directions.T @ movement) / norm) if norm > 0 else None


def lox(tuned: Path, base: Path, pretrained: Path, spec: LowRankExtrapolation, out: Path) -> dict:
    """Write the extrapolated model; on the base itself with `tuned` = `base`.

    Returns:
        How many matrices were moved, and the mean over linear layers of R before and after tuning.

    Raises:
        ModelError: the three are not of one architecture.
    """
    own, first, last = Stored(tuned), Stored(base), Stored(pretrained)
    demand_alike(own, first, last)
    before: list[float] = []
    after: list[float] = []
    moved: set[str] = set()

    def change(name: str, weight: Tensor) -> Tensor | None:
        if weight.dim() != 2 or spec.strength == 0:
            return None
        moved.add(name)
        ancestor = last.read(name)
        alignment = first.read(name) - ancestor
        found, directions = extrapolated(weight, alignment, spec.rank, spec.strength)
        if directions is not None and name in own.layout.linear:
            before.extend(r for r in [kept_share(alignment, directions)] if r is not None)
            after.extend(r for r in [kept_share(weight - ancestor, directions)] if r is not None)
        return found

    rewrite(own, out, change)
    measured = {"kept_before": fmean(before), "kept_after": fmean(after)} if before and after else {}
    return {"matrices": len(moved), **measured}
