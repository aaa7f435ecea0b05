"""KL divergence from the base on the answers of the pairs: how far the model has moved where safety is spoken.

Idea: KL(base || model), nats per response token, on fixed rows of refusals, look-alikes and anchors. It sees a change
of probabilities before an answer changes. Paper: the term that SafeGrad (arXiv 2508.07172) protects, only read.
Cost: one forward pass of `rows` rows. Fails: blind outside those rows. At the base it measures 0.
"""

from collections.abc import Mapping

import torch

from safety_assets.errors import TrainingError
from safety_assets.methods.references import forward_kl, keep_reference
from safety_assets.models.batch import response_logits
from safety_assets.monitor_specs import SafetyDivergence
from safety_assets.monitors.instrument import Instrument, Sight

BATCH_ROWS = 16
ORIGINS = ("refusal", "lookalike", "anchor")


class SafetyDivergenceDrift(Instrument):
    """Divergence on fixed rows.

    Args:
        spec: how many rows, and the limit.
    """

    def __init__(self, spec: SafetyDivergence) -> None:
        self._spec = spec

    def setup(self, sight: Sight) -> None:
        """Draw the rows and keep what the base says."""
        size = min(BATCH_ROWS, self._spec.rows)
        self._batches = sight.context.batches(ORIGINS, size)[: -(-self._spec.rows // size)]
        if not self._batches:
            raise TrainingError(
                f"{self._spec.look} has no row to look at", expected=f"rows of {', '.join(ORIGINS)}",
                do=f"add pairs, or take {self._spec.look} out of the recipe's instruments",
            )  # fmt: skip
        with torch.no_grad():
            self._kept = [keep_reference(response_logits(sight.loaded.model, b), 1.0) for b in self._batches]

    @torch.no_grad()
    def measure(self, sight: Sight) -> dict[str, float]:
        """Nats per response token."""
        total = 0.0
        for batch, kept in zip(self._batches, self._kept, strict=True):
            with sight.loaded.precision():
                logits = response_logits(sight.loaded.model, batch)
            total += batch.num_responses * float(forward_kl(kept, logits, 1.0))
        return {"divergence": total / max(1, sum(b.num_responses for b in self._batches))}

    def fallen(self, measured: Mapping[str, float]) -> dict[str, float]:
        """More nats than allowed."""
        return {name: value for name, value in measured.items() if value > self._spec.at_most}
