"""Constrained first tokens: each response token counts less the likelier it has become than it was in the base.

Idea: token t of an answer counts w_t = 2 sigmoid(beta_t (log p_base(y_t) - log p(y_t))), no gradient through it. At the
base every weight is 1. beta is large over the first tokens of an answer, where alignment lives, and small behind them.
Paper: Qi et al., Safety Alignment Should Be Made More Than Just a Few Tokens Deep, arXiv 2406.05946, section 4.
Moments: setup (log-probability of every target under the base, one float per response token), weigh_tokens.
Cost: one forward pass over all rows before the first step, none in a step.
Fails: protects the beginning of an answer only; data that refuse first and comply then are made for this gap. The
authors lose about four points on GSM8K. They train it with Adam's beta1 = 0.5, so that the optimiser follows the
weights of the step: `betas: [0.5, 0.999]` in the recipe's optimiser.
Deviation: none in the weights (clamped at 1e-3 as in the released code). Depth starts again with every answer of a
chat, where the release counts from the first. Injected pairs are weighted like all rows. The companion augmentation
(refusals behind the beginning of a harmful answer) is `safety_recovery`. Neutral value: all three betas 0.
"""

import torch
from torch import Tensor

from safety_assets.method_specs import ConstrainedTokens
from safety_assets.methods.kept import Kept
from safety_assets.methods.moments import Context, Method
from safety_assets.models.batch import Batch

LEAST = 1e-3
"""No token counts less."""


def weights(base: Tensor, model: Tensor, beta: Tensor) -> Tensor:
    """2 sigmoid(beta (base - model)), at least LEAST, at most 2; 1 where both agree.

    Args:
        base, model: log-probability of each target, nats.  # (responses,)
        beta: at least 0.  # (responses,)
    """
    return (2 * torch.sigmoid(beta * (base - model))).clamp(min=LEAST)


def schedule(depth: Tensor, spec: ConstrainedTokens) -> Tensor:
    """beta of each target by its place in its answer.  # (responses,) int64 to (responses,) fp32"""
    betas = torch.full(depth.shape, spec.beta, dtype=torch.float32, device=depth.device)
    betas[depth < spec.length] = spec.beta_next
    betas[depth == 0] = spec.beta_first
    return betas


def target_logprobs(logits: Tensor, batch: Batch) -> Tensor:
    """Log-probability of each target, nats.  # (responses, vocab) to (responses,)"""
    return logits.gather(-1, batch.targets[:, None]).squeeze(-1) - logits.logsumexp(-1)


class FirstTokens(Method):
    """Weights of the cross-entropy that hold an answer's first tokens near the base.

    Args:
        spec: the betas and how many tokens count as first.
    """

    def __init__(self, spec: ConstrainedTokens) -> None:
        self._spec = spec
        self._kept: Kept | None = None

    def setup(self, context: Context) -> None:
        """Keep what the base gives every target; always a table, one float a token."""
        if any((self._spec.beta_first, self._spec.beta_next, self._spec.beta)):
            self._kept = Kept(context, lambda b: (target_logprobs(context.reference(b), b),), bound=2**62)

    def weigh_tokens(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """The weights of the paper."""
        if self._kept is None:
            return None
        (base,) = self._kept.of(batch)
        return weights(base, target_logprobs(logits, batch), schedule(batch.depth, self._spec))
