"""Linear probes of harmfulness on attention heads and on neurons: can what the base knew still be read out?

Idea: in the base, some attention heads and some neurons of the feed-forward layers tell refused from answered prompts
along a line. The lines are found on one half of the prompts; the area under the ROC curve on the other half is
measured, in the base and then in training, along the base's lines.
Paper: probing of heads as in Li et al., Inference-Time Intervention, arXiv 2306.03341; safety heads and neurons after
Zhou et al., arXiv 2410.13708, and Chen et al., arXiv 2406.14144. The monitor is this project's own.
A probe's line is the difference of the means, divided by the spread of each entry.
Cost: a forward pass of twice `prompts` short prompts. Fails: a line that still reads says nothing of whether the model
acts on it. Of an architecture whose attention output is not one linear layer nothing is read, and setup says so.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from safety_assets.errors import TrainingError
from safety_assets.methods.anatomy import area
from safety_assets.models.outlook import Entries, entries_of_outputs
from safety_assets.monitor_specs import LinearProbes
from safety_assets.monitors.instrument import Instrument, Sight, halves, prompts


def line(refused: Tensor, answered: Tensor) -> Tensor:
    """The difference of the means over the spread of each entry; (prompts, entries) twice to (entries,)."""
    spread = torch.cat([refused - refused.mean(0), answered - answered.mean(0)]).std(0)
    return (refused.mean(0) - answered.mean(0)) / spread.clamp(min=1e-6) ** 2


def best(refused: Tensor, answered: Tensor, number: int) -> Tensor:
    """Which single entries tell the two apart best: the largest difference in spreads.  # to (number,)"""
    spread = torch.cat([refused - refused.mean(0), answered - answered.mean(0)]).std(0).clamp(min=1e-6)
    effect = (refused.mean(0) - answered.mean(0)).abs() / spread
    return effect.topk(min(number, effect.numel())).indices


class LinearProbeDrift(Instrument):
    """Mean area of the best heads, and area of the best neurons together.

    Args:
        spec: how many prompts, heads and neurons, and the floor.
    """

    def __init__(self, spec: LinearProbes) -> None:
        self._spec = spec

    def setup(self, sight: Sight) -> None:
        """Find the base's lines on one half, choose the best, and measure them on the other."""
        spec, context = self._spec, sight.context
        self._refused = halves(prompts(context, ["refusal"], spec.prompts, spec.look))
        self._answered = halves(prompts(context, ["lookalike", "anchor"], spec.prompts, spec.look))
        refused, answered = self._entries(sight, 0)
        lines = [line(a, b) for a, b in zip(refused.heads, answered.heads, strict=True)]
        areas = [area(a @ w, b @ w) for a, b, w in zip(refused.heads, answered.heads, lines, strict=True)]
        order = sorted(range(len(areas)), key=lambda i: -areas[i])[: spec.heads]
        self._heads = [(i, lines[i]) for i in order]
        self._neurons = best(refused.neurons, answered.neurons, spec.neurons)
        self._weights = line(refused.neurons[:, self._neurons], answered.neurons[:, self._neurons])
        self._base = self.measure(sight)

    def measure(self, sight: Sight) -> dict[str, float]:
        """Areas, 0.5 where nothing can be read."""
        refused, answered = self._entries(sight, 1)
        heads = [area(refused.heads[i] @ w, answered.heads[i] @ w) for i, w in self._heads]
        one, other = (own.neurons[:, self._neurons] @ self._weights for own in (refused, answered))
        return {"heads": sum(heads) / len(heads), "neurons": area(one, other)}

    def fallen(self, measured: Mapping[str, float]) -> dict[str, float]:
        """Areas under their share of the base's."""
        return {name: value for name, value in measured.items() if value < self._spec.floor * self._base[name]}

    def _entries(self, sight: Sight, half: int) -> tuple[Entries, Entries]:
        one, other = (self._read(sight, own) for own in (self._refused[half], self._answered[half]))
        return one, other

    def _read(self, sight: Sight, chosen: Sequence[list[int]]) -> Entries:
        found = entries_of_outputs(sight.loaded, chosen)
        if found is None:
            raise TrainingError(
                f"{self._spec.look} finds no output layer of attention and feed-forward in this architecture",
                expected="decoder layers with one linear output each",
                do=f"take {self._spec.look} out of the recipe's instruments",
            )
        return found
