"""How much of what alignment added to the weights still lies where it lay.

Idea: alignment moved each weight matrix W from its unaligned ancestor's by D, whose leading left directions U carry
most of it. R = |U U^T (W - ancestor)| / |W - ancestor| falls when tuning moves the weights elsewhere.
Paper: Perin et al., LoX, arXiv 2506.15606 (R_align and R_ft), there a description, here watched.
Measures `kept`, the mean of R over the linear layers as a share of the base's: 1 at the base.
Cost: one decomposition per matrix at the start; then a product per matrix, the ancestor's weights read from disk.
Fails: what amplifies safety in a subspace amplifies use too (arXiv 2505.14185), so a fall is drift, not proof of harm.
"""

from collections.abc import Mapping
from statistics import fmean

import torch
from torch import Tensor, nn

from safety_assets.errors import TrainingError
from safety_assets.models.stored import Stored
from safety_assets.monitor_specs import SafetySubspace
from safety_assets.monitors.instrument import Instrument, Sight
from safety_assets.repairs.low_rank import leading
from safety_assets.repairs.lox import kept_share


class SafetySubspaceDrift(Instrument):
    """The mean kept share of all linear layers, against the base's.

    Args:
        spec: directions per matrix, and the floor.
    """

    def __init__(self, spec: SafetySubspace) -> None:
        self._spec = spec
        self._directions: dict[str, Tensor] = {}

    def setup(self, sight: Sight) -> None:
        """Decompose what alignment did to each matrix."""
        if sight.pretrained is None:
            raise TrainingError(
                f"{self._spec.look} compares with the unaligned ancestor, and none is named",
                expected="the model before its alignment",
                do=f"name pretrained_model in project.yaml, or take {self._spec.look} out of the instruments",
            )
        self._ancestor = Stored(sight.pretrained)
        for name, weight in self._weights(sight).items():
            alignment = weight - self._ancestor.read(name)
            if alignment.any():
                self._directions[name] = leading(alignment, self._spec.rank)[0]
        self._base = self._kept(sight)

    def measure(self, sight: Sight) -> dict[str, float]:
        """The kept share over the base's; 1 where alignment moved nothing."""
        return {"kept": self._kept(sight) / self._base if self._base else 1.0}

    def fallen(self, measured: Mapping[str, float]) -> dict[str, float]:
        """Under the floor."""
        return {name: value for name, value in measured.items() if value < self._spec.floor}

    def _kept(self, sight: Sight) -> float:
        weights = self._weights(sight)
        found = [kept_share(weights[name] - self._ancestor.read(name), own) for name, own in self._directions.items()]
        return fmean([share for share in found if share is not None] or [0.0])

    @torch.no_grad()
    def _weights(self, sight: Sight) -> dict[str, Tensor]:
        """Canonical name to the weight that acts, adapters added in; fp32, on the CPU."""
        layout = self._ancestor.layout
        found = {}
        for name in sorted(layout.linear):
            module = sight.loaded.model.get_submodule(layout.prefix + name.removesuffix(".weight"))
            found[name] = _acting(module).detach().float().cpu()
        return found


def _acting(module: nn.Module) -> Tensor:
    """A layer's weight, with that of the adapter on it."""
    base = getattr(module, "base_layer", None)
    if base is None:
        weight = module.weight
    else:
        weight = base.weight + sum(module.get_delta_weight(own) for own in module.active_adapters)  # type: ignore[operator, union-attr]
    assert isinstance(weight, Tensor)
    return weight
