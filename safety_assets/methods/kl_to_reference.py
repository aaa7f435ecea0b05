"""Divergence from the base as a term of the loss, on the rows that are trained on, on safety pairs, or on both.

Idea: strength * KL(base || model) per response token is added to the cross-entropy; reversed, KL(model || base). The
forward direction makes the model cover what the base says; the reverse keeps it from saying what the base would not.
Paper: the soft constraint of Qi et al., arXiv 2406.05946, and of RLHF (Ouyang et al., arXiv 2203.02155), as a full
divergence over the vocabulary instead of a sampled one.
Moments: setup (log-probabilities of the base), add_loss (rows of the step), edit_gradients (pairs, at their turns).
Cost: with `strength`, one pass of the base over all rows before the first step and no pass in a step, where its answers
fit KEPT_BYTES of host memory; else one reference pass a batch, and without adapters a second copy of the base. With
`pairs_strength`, one forward and backward pass on `batch_rows` pairs every `every` steps.
Fails: on task rows it also holds back what is to be learned; on pairs it protects what the pairs cover.
Deviation: large vocabularies keep the TOP likeliest tokens and the rest as one outcome, which bounds either divergence
from below; rows that weigh less in the cross-entropy weigh whole here. Neutral value: both strengths 0.
"""

from torch import Tensor, nn

from safety_assets.keeping_specs import KLToReference
from safety_assets.methods import gradients
from safety_assets.methods.kept import Kept
from safety_assets.methods.moments import Context, Method, Passes
from safety_assets.methods.references import Reference, keep_reference, read_reference, token_kl
from safety_assets.methods.turns import Turns
from safety_assets.models.batch import Batch, response_logits


class KLTerm(Method):
    """KL divergence to the base.

    Args:
        spec: strengths, direction, and the turns on pairs.
    """

    def __init__(self, spec: KLToReference) -> None:
        self._spec = spec
        self._kept: Kept | None = None
        self._turns: Turns | None = None
        self._references: dict[int, Reference] = {}

    def setup(self, context: Context) -> None:
        """Keep what the base says, of the rows and of the pairs."""
        spec = self._spec
        if spec.strength:
            self._kept = Kept(context, read_reference(context))
        if spec.pairs_strength:
            self._turns = Turns(
                context, spec.origins, batch_rows=spec.batch_rows, every=spec.every, method="kl_to_reference"
            )
            batches = self._turns.batches
            self._references = {i: keep_reference(context.reference(batches[i]), 1.0) for i in self._turns.drawn}

    def add_loss(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """strength * the sum of the divergence over the batch's response tokens."""
        if self._kept is None:
            return None
        strength = self._spec.strength * context.safety_weight()
        return strength * self._divergence(Reference(*self._kept.of(batch)), logits).sum()

    def edit_gradients(self, context: Context, step: int) -> None:
        """Add pairs_strength * the gradient of the mean divergence on this turn's pairs."""
        which = None if self._turns is None else self._turns.at(step)
        if self._turns is None or which is None:
            return
        reference = self._references[which]

        def mean(model: nn.Module, batch: Batch) -> Tensor:
            return self._divergence(reference, response_logits(model, batch)).sum() / max(1, batch.num_responses)

        own = context.compute_gradient(mean, self._turns.batches[which], None)
        gradients.add(context.parameters(), own, self._spec.pairs_strength * context.safety_weight())

    def _divergence(self, reference: Reference, logits: Tensor) -> Tensor:
        return token_kl(reference, logits, reverse=self._spec.direction == "reverse")

    def passes(self, step: int) -> Passes:
        """A batch of pairs at every turn; the base on every batch where nothing could be kept."""
        acts = int(self._spec.pairs_strength > 0 and (step + 1) % self._spec.every == 0)
        return Passes(forward=acts, backward=acts, reference=int(self._kept is not None and not self._kept.is_table))
