"""NLSR: where tuning turned a matrix away from alignment, put its safety-critical entries back.

Idea: a reference W_ref = W_base + beta (W_base - W_pretrained) is more aligned than the base. Entries that matter for
refusals are the largest of W projected on the directions in which refusals leave the layer. Matrices whose movement
from the ancestor agrees least with the reference's on those entries get them from the reference.
Paper: Yi et al., NLSR, arXiv 2412.12497 (AAAI 2025).
Moments: after training.
Cost: one forward pass over a few refusals and one decomposition per matrix; then elementwise.
Fails: needs the ancestor; half of the matrices are replaced whatever they look like when all agree alike.
Deviation: everything is done on the updates of whole matrices, not on the factors of adapters: these are not unique,
so that moving entries between them means nothing. The reference is extrapolated from base and ancestor instead of two
preference-tuned models. Two faults of the released code are not taken over: it scales the extrapolated update by
4 beta^2 where the paper has 1 + beta, and it gives the most similar matrices the highest probability; here the
probability falls with the similarity.
Neutral value: critical_share 0.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from safety_assets.errors import ModelError
from safety_assets.models.chat import Chat
from safety_assets.models.linear_inputs import answer_inputs
from safety_assets.models.stored import Stored, demand_alike, rewrite
from safety_assets.repair_specs import NeuronRealignment
from safety_assets.repairs.low_rank import leading


def filtered(weight: Tensor, inputs: Tensor, kept_rank: float) -> Tensor:
    """The weight projected on the leading directions of its outputs, V V^T W.

    Args:
        weight: (out, in).
        inputs: what enters the layer at answer tokens.  # (tokens, in)
        kept_rank: share of the shorter side of the weight, in (0, 1].
    """
    rank = max(1, math.floor(kept_rank * min(weight.shape)))
    _, _, v = leading(inputs @ weight.T, rank)  # (out, k), k at most the number of tokens
    return v @ (v.T @ weight)


def critical(weight: Tensor, share: float) -> Tensor:
    """Which entries are the largest in absolute value; bool of the weight's shape, this share of them."""
    count = round(share * weight.numel())
    mask = torch.zeros(weight.numel(), dtype=torch.bool)
    mask[weight.abs().flatten().topk(count).indices] = True
    return mask.view_as(weight)


def similarity(tuned: Tensor, reference: Tensor, mask: Tensor) -> float:
    """Cosine of two movements over the masked entries; 1 where nothing is masked, 0 where only one of them moved."""
    a, b = tuned[mask], reference[mask]
    if not a.any() and not b.any():
        return 1.0
    return float((a @ b) / (torch.linalg.norm(a) * torch.linalg.norm(b)).clamp(min=1e-30))


def probabilities(similarities: Mapping[str, float], replaced_share: float, spread: float) -> dict[str, float]:
    """Probability of each matrix to be realigned, linear in its rank: the least similar has the highest."""
    names = sorted(similarities, key=lambda name: (similarities[name], name))
    steps = max(1, len(names) - 1)
    return {name: replaced_share + spread * (1 - 2 * place / steps) for place, name in enumerate(names)}


def drawn(similarities: Mapping[str, float], spec: NeuronRealignment) -> frozenset[str]:
    """The matrices that are realigned."""
    if spec.choice == "threshold":
        return frozenset(name for name, cosine in similarities.items() if cosine < spec.threshold)
    rng = np.random.default_rng(spec.seed)
    wanted = probabilities(similarities, spec.replaced_share, spec.spread)
    return frozenset(name for name in sorted(wanted) if rng.random() < wanted[name])


def realigned(weight: Tensor, reference: Tensor, mask: Tensor) -> Tensor:
    """The reference's entries under the mask, the weight's elsewhere.  # all of one shape"""
    return torch.where(mask, reference, weight)


def nlsr(
    tuned: Path, base: Path, pretrained: Path, refusals: Sequence[Chat], spec: NeuronRealignment, out: Path
) -> dict:
    """Write the model with realigned linear layers.

    Args:
        refusals: whole chats that end in a refusal; at least two.

    Returns:
        The similarity of every matrix and which were realigned.

    Raises:
        ModelError: the three are not of one architecture, or there are too few refusals.
    """
    if len(refusals) < 2:
        raise ModelError(f"nlsr got {len(refusals)} refusals", expected="at least 2", do="add refusal pairs")
    own, first, last = Stored(tuned), Stored(base), Stored(pretrained)
    demand_alike(own, first, last)
    names = sorted(own.layout.linear & own.floats)
    every = max(1, len(refusals) // spec.chats)
    inputs = answer_inputs(base, refusals[::every][: spec.chats], max_tokens=spec.tokens)
    similarities: dict[str, float] = {}
    for name in names:
        weight, aligned, ancestor = own.read(name), first.read(name), last.read(name)
        mask = _mask(aligned, inputs[name], name in own.layout.transposed, spec)
        similarities[name] = similarity(weight - ancestor, aligned - ancestor, mask)
    chosen = drawn(similarities, spec)

    def change(name: str, weight: Tensor) -> Tensor | None:
        if name not in chosen:
            return None
        aligned = first.read(name)
        mask = _mask(aligned, inputs[name], name in own.layout.transposed, spec)  # again: all masks would be a model
        return realigned(weight, aligned + spec.strength * (aligned - last.read(name)), mask)

    rewrite(own, out, change)
    return {"similarities": similarities, "realigned": sorted(chosen)}


def _mask(aligned: Tensor, inputs: Tensor, transposed: bool, spec: NeuronRealignment) -> Tensor:
    if not transposed:
        return critical(filtered(aligned, inputs, spec.kept_rank), spec.critical_share)
    return critical(filtered(aligned.T, inputs, spec.kept_rank), spec.critical_share).T
