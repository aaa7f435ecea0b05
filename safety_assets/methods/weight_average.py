"""An exponential moving average of the weights that starts at the base, and is what is served.

Idea: after every step average <- eta * average + (1 - eta) * weights, beginning with the base's weights. After N steps
the base counts eta^N in it; `retention` names that share, so that eta = retention^(1/N) whatever N is.
Paper: Kim et al., Rethinking Safety in LLM Fine-tuning: An Optimization Perspective, arXiv 2508.12531. The paper leaves
open whether training sees the average: `shadow` trains as if there were none; `write_back` puts the average into the
weights every `every` steps, a momentum towards the base, of which more than `retention` stays.
Moments: edit_gradients (keeps the base's weights before the first step), after_step, finish, state.
Cost: one more copy of what is trained, in fp32, where the model is; no pass.
Fails: less drift is also less learning: compare at equal task score. The monitor looks at the weights in training, in
shadow mode not at the average that will be served.
Deviation: with LoRA the average is of the factors A and B, and the product of averages is not the average of the
products; it starts at the base as well, because B starts at zero. `retention` is ours; the paper's eta could not be
verified. The optimiser's moments are untouched. Neutral value: a decay of 0, where the average is the weights.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from safety_assets.methods.moments import Context, Method
from safety_assets.models.shards import cut_like
from safety_assets.shaping_specs import WeightAverage as Spec


def decay_of(retention: float, steps: int) -> float:
    """The eta with which the beginning counts `retention` after so many steps."""
    return float(retention ** (1 / max(1, steps)))


@torch.no_grad()
def average(kept: Sequence[Tensor], weights: Sequence[Tensor], decay: float) -> None:
    """kept <- decay * kept + (1 - decay) * weights, in place; a decay of 0 or 1 and equal tensors are exact."""
    torch._foreach_lerp_(list(kept), list(weights), 1.0 - decay)


class WeightAverage(Method):
    """The average of the weights is exported.

    Args:
        spec: mode, retention or decay, and how often it is written back.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._kept: list[Tensor] = []

    def setup(self, context: Context) -> None:
        """Say what the average retains."""
        spec = self._spec
        self._decay = decay_of(spec.retention, context.steps) if spec.decay is None else spec.decay

    def edit_gradients(self, context: Context, step: int) -> None:
        """Before the optimiser moves the weights: begin with them, or put what was saved where they are."""
        parameters = context.parameters()
        if not self._kept:
            self._kept = [p.detach().clone() for p in parameters]
        elif self._kept[0].device != parameters[0].device or type(self._kept[0]) is not type(parameters[0].data):
            self._kept = [cut_like(t, p.data) for t, p in zip(self._kept, parameters, strict=True)]

    def after_step(self, context: Context, step: int) -> None:
        """Move the average, and the weights to it where it is time."""
        average(self._kept, [p.data for p in context.parameters()], self._decay)
        if self._spec.mode == "write_back" and (step + 1) % self._spec.every == 0:
            self._put(context)

    def finish(self, context: Context) -> None:
        """Serve the average; before adapters are merged."""
        if self._kept:
            self._put(context)

    @torch.no_grad()
    def _put(self, context: Context) -> None:
        for parameter, kept in zip(context.parameters(), self._kept, strict=True):
            parameter.copy_(kept)

    def state(self) -> Mapping[str, Tensor]:
        """The average."""
        return {str(i): t for i, t in enumerate(self._kept)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take the average back; where nothing was saved it begins again at the weights."""
        self._kept = [state[str(i)] for i in range(len(state))]
