"""SPAG: after the optimiser's step, go back along the safety gradient until the safety loss is the base's again.

Idea: minimise the task loss subject to L_s <= tau. The optimiser's step leads to w+. Where l = L_s(w+) is above tau,
the nearest weights at which the linearised safety loss is tau are w = w+ - (l - tau) / |g|^2 * g with g = grad L_s(w+);
the factor of g is at most `reach` times the learning rate, the trust region.
Paper: SPARD, arXiv 2605.28030 (SPAG). tau is `margin` times the base's mean loss on all safety rows, measured at setup.
Moments: setup, after_step. The optimiser's moments are untouched.
Cost: one forward and backward pass on `batch_rows` safety rows every `every` steps; 1 + batch_rows / task rows.
Fails: without the trust region the task suffers; one batch's loss is a noisy sample of the constraint; the factor is
small where the learning rate is: it pulls back over many steps, not in one.
Deviation: the released code divides by |g| of each tensor instead of |g|^2 of all, feeds the result to a further AdamW
step with shared moments, and steps its schedule twice; that mode is left out, because it moves the moments. The paper
uses one row per safety batch, here 8. Neutral value: a reach of 0.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from safety_assets.methods.gradients import dot
from safety_assets.methods.moments import Context, Method, Passes
from safety_assets.methods.turns import Turns
from safety_assets.models.batch import Batch, response_loss, weighted_loss
from safety_assets.shaping_specs import HalfSpace as Spec


def factor(loss: float, bound: float, square: float, most: float) -> float:
    """How much of the gradient is subtracted: 0 inside the half-space or where the gradient is 0, never above `most`.

    Args:
        loss: L_s at the weights, nats.
        bound: tau.
        square: |g|^2.
        most: the trust region.
    """
    return 0.0 if loss <= bound or square == 0 else min((loss - bound) / square, most)


@torch.no_grad()
def step_back(weights: Sequence[Tensor], gradient: Sequence[Tensor], by: float) -> None:
    """weights <- weights - by * gradient, in place; 0 leaves them as they are, to the bit."""
    if by:
        torch._foreach_add_(list(weights), list(gradient), alpha=-by)


class HalfSpace(Method):
    """The weights are projected onto the half-space of the safety loss.

    Args:
        spec: margin, reach, every how many steps, rows of a safety batch, origins.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._bound = 0.0

    def setup(self, context: Context) -> None:
        """Draw the safety batches and measure the base's loss on all of them."""
        spec = self._spec
        self._turns = Turns(context, spec.origins, batch_rows=spec.batch_rows, every=spec.every, method="half_space")
        totals = torch.zeros(2, dtype=torch.float64)  # nats, tokens
        for batch in self._turns.batches:
            loss = weighted_loss(context.reference(batch), batch)
            totals += torch.tensor([float(loss), batch.num_responses], dtype=torch.float64)
        context.ranks.add_up([totals])
        self._bound = spec.margin * float(totals[0]) / max(1.0, float(totals[1]))

    def after_step(self, context: Context, step: int) -> None:
        """Where the safety loss is above the bound, step back."""
        which = self._turns.at(step)
        if which is None:
            return
        batch = self._turns.batches[which]
        totals = torch.zeros(2, dtype=torch.float64)

        def safety_loss(model: nn.Module, own: Batch) -> Tensor:
            value = response_loss(model, own)
            totals.copy_(torch.tensor([float(value.detach()), own.num_responses], dtype=torch.float64))
            return value / max(1, own.num_responses)

        gradient = context.compute_gradient(safety_loss, batch, None)
        context.ranks.add_up([totals])
        loss = float(totals[0]) / max(1.0, float(totals[1]))
        most = self._spec.reach * context.safety_weight() * context.rate()
        by = factor(loss, self._bound, dot(gradient, gradient), most)
        step_back([p.data for p in context.parameters()], gradient, by)
        context.log("half_space/loss", loss)
        context.log("half_space/factor", by)

    def passes(self, step: int) -> Passes:
        """One batch forward and back at every turn."""
        acts = (step + 1) % self._spec.every == 0
        return Passes(forward=int(acts), backward=int(acts))
