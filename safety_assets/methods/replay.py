"""Replay with stored logits: safety rows are kept with what the base said of them, and come back while training.

Idea: DER adds alpha * the mean square of z - z_base over the logits of safety rows; DER++ also beta * their
cross-entropy.
Paper: Buzzega et al., Dark Experience for General Continual Learning, arXiv 2004.07211; as a protection of alignment:
Unforgotten Safety, arXiv 2512.10150.
Moments: setup (logits of the base on the safety batches), edit_gradients.
Cost: one forward and backward pass on `batch_rows` rows every `every` steps; no reference while training.
Fails: protects what its rows cover. Logits that all move by one constant change no probability and are still pulled
back.
Deviation: the rows are those of the pairs and are drawn once, not by reservoir sampling from a stream; both terms take
the same rows, where DER++ draws twice. The square is a mean over kept logits (the authors' code; their equation has the
norm, which would grow with the vocabulary). Of large vocabularies the TOP largest logits are kept and the logarithm of
the summed exponentials of all others as one more, so that mass cannot move among them unseen.
Neutral value: alpha and beta 0.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from safety_assets.keeping_specs import Replay
from safety_assets.methods import gradients, references
from safety_assets.methods.moments import Context, Method, Passes
from safety_assets.methods.turns import Turns
from safety_assets.models.batch import Batch, response_logits, weighted_loss


@dataclass(frozen=True)
class KeptLogits:
    """Logits of the base at the response positions of one batch.

    Args:
        values: fp32; the whole vocabulary, or the largest and, last, all others together.
        tokens: which tokens, when not the whole vocabulary.  # (responses, kept)
    """

    values: Tensor  # (responses, vocab or kept + 1)
    tokens: Tensor | None

    def of(self, logits: Tensor) -> Tensor:
        """The same columns of other logits.  # (responses, vocab) to the shape of `values`"""
        return logits if self.tokens is None else _with_rest(logits, self.tokens)


def keep_logits(logits: Tensor) -> KeptLogits:
    """What is kept of logits (responses, vocab): all, or the largest and the rest as one."""
    logits = logits.float()
    if logits.shape[-1] <= references.WHOLE_VOCABULARY:
        return KeptLogits(logits, None)
    tokens = logits.topk(references.TOP, dim=-1).indices
    return KeptLogits(_with_rest(logits, tokens), tokens)


def mean_square(kept: KeptLogits, logits: Tensor) -> Tensor:
    """Mean of (z - z_base)^2 over kept logits and response positions; 0 of none; a scalar."""
    gap = kept.of(logits.float()) - kept.values
    return gap.square().sum() / max(1, gap.numel())


def _with_rest(logits: Tensor, tokens: Tensor) -> Tensor:
    rest = logits.scatter(-1, tokens, -torch.inf).logsumexp(-1, keepdim=True)
    return torch.cat([logits.gather(-1, tokens), rest], dim=-1)


class DarkReplay(Method):
    """DER and DER++ on safety pairs.

    Args:
        spec: both weights, turns and origins.
    """

    def __init__(self, spec: Replay) -> None:
        self._spec = spec
        self._kept: dict[int, KeptLogits] = {}
        self._turns: Turns | None = None

    def setup(self, context: Context) -> None:
        """Draw the safety batches and keep what the base says of them."""
        spec = self._spec
        if not (spec.alpha or spec.beta):
            return
        self._turns = Turns(context, spec.origins, batch_rows=spec.batch_rows, every=spec.every, method="replay")
        if spec.alpha:
            batches = self._turns.batches
            self._kept = {i: keep_logits(context.reference(batches[i])) for i in self._turns.drawn}

    def edit_gradients(self, context: Context, step: int) -> None:
        """Add the gradient of both terms on this turn's batch."""
        which = None if self._turns is None else self._turns.at(step)
        if self._turns is None or which is None:
            return
        place = which

        def terms(model: nn.Module, batch: Batch) -> Tensor:
            logits = response_logits(model, batch)
            loss = weighted_loss(logits, batch) * (self._spec.beta / max(1, batch.num_responses))
            return loss + self._spec.alpha * mean_square(self._kept[place], logits) if self._kept else loss

        own = context.compute_gradient(terms, self._turns.batches[place], None)
        gradients.add(context.parameters(), own, context.safety_weight())

    def passes(self, step: int) -> Passes:
        """One batch forward and back at every turn."""
        acts = int((self._spec.alpha > 0 or self._spec.beta > 0) and (step + 1) % self._spec.every == 0)
        return Passes(forward=acts, backward=acts)
