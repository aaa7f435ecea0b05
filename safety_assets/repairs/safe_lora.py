"""Safe LoRA: project the updates that leave the subspace of alignment back into it.

Idea: V = W_base - W_pretrained spans what alignment changed. An update D whose part in that subspace is small works
against it and is replaced by that part.
Paper: Hsu et al., Safe LoRA, arXiv 2405.16833 (NeurIPS 2024): C = V V^T / |V|_F, D becomes C D where
cos(C D, D) <= threshold, or in the layers of the lowest cosines.
Moments: after training, on the merged weights: D = W_tuned - W_base is the s B A of an adapter, or a full update.
Cost: products of a matrix with itself, one shorter side squared of memory; no data. The ancestor has to be at hand.
Fails: sensitive to the threshold; inconsistent against emergent misalignment. C is no projector: it scales with |V|
and shrinks updates where |V| is small, so that part of its effect is a smaller update.
Deviation: `matrix: projector` offers the true projector U_k U_k^T on V's leading directions; layers are known by
name, never by position; a matrix that alignment did not change has no subspace and is left, and said.
Neutral value: threshold -1 (cosines are at least 0).
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from safety_assets.models.stored import Stored, demand_alike, rewrite
from safety_assets.repair_specs import SafeLowRank
from safety_assets.repairs.low_rank import leading


def published(alignment: Tensor, update: Tensor) -> Tensor:
    """C D = V (V^T D) / |V|_F, without C where that is the smaller way.  # (out, in) twice to (out, in)"""
    rows, columns = alignment.shape
    product = alignment @ (alignment.T @ update) if columns <= rows else (alignment @ alignment.T) @ update
    return product / torch.linalg.norm(alignment)


def projected(alignment: Tensor, update: Tensor, rank: int) -> Tensor:
    """U U^T D with the leading left directions U of the alignment.  # (out, in) twice to (out, in)"""
    u, _, _ = leading(alignment, rank)
    return u @ (u.T @ update)


def agreement(part: Tensor, update: Tensor) -> float:
    """Cosine of an update to its part in the subspace, over all entries; at least 0 as C has no negative direction."""
    return float((part * update).sum() / (torch.linalg.norm(part) * torch.linalg.norm(update)).clamp(min=1e-30))


def chosen(cosines: Mapping[str, float], threshold: float, layers: int | None) -> frozenset[str]:
    """The matrices whose update is replaced: cosine of at most the threshold, or so many of the lowest."""
    if layers is not None:
        return frozenset(sorted(cosines, key=lambda name: (cosines[name], name))[:layers])
    return frozenset(name for name, cosine in cosines.items() if cosine <= threshold)


def safe_lora(tuned: Path, base: Path, pretrained: Path, spec: SafeLowRank, out: Path) -> dict:
    """Write the model with projected updates of the linear layers.

    Returns:
        The cosine of every matrix that was looked at, which were projected, and which alignment did not change.

    Raises:
        ModelError: the three are not of one architecture.
    """
    own, first, last = Stored(tuned), Stored(base), Stored(pretrained)
    demand_alike(own, first, last)

    def parts(name: str, weight: Tensor) -> tuple[Tensor, Tensor, Tensor] | None:
        """Base, update and its part, as (out, in); None where one of them is zero."""
        turn = name in own.layout.transposed
        aligned, ancestor, weight = (_turned(w, turn) for w in (first.read(name), last.read(name), weight))
        alignment, update = aligned - ancestor, weight - aligned
        if not alignment.any() or not update.any():
            return None
        one = spec.matrix == "published"
        part = published(alignment, update) if one else projected(alignment, update, spec.rank)
        return aligned, update, part

    cosines: dict[str, float] = {}
    still: list[str] = []
    for name in sorted(own.layout.linear & own.floats):
        found = parts(name, own.read(name))
        if found is None:
            still.append(name)
        else:
            cosines[name] = agreement(found[2], found[1])
    replaced = chosen(cosines, spec.threshold, spec.layers)

    def change(name: str, weight: Tensor) -> Tensor | None:
        found = parts(name, weight) if name in replaced else None
        return None if found is None else _turned(found[0] + found[2], name in own.layout.transposed)

    rewrite(own, out, change)
    return {"cosines": cosines, "projected": sorted(replaced), "unchanged_by_alignment_or_tuning": still}


def _turned(weight: Tensor, turn: bool) -> Tensor:
    return weight.T if turn else weight
