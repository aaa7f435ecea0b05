"""Dynamic shaping (STAR-DSS): learn what a guard finds safe, stay with the base where it does not, chunk by chunk.

Idea: the value V of a chunk of an answer is how safe the answer is up to the chunk's end. A token counts V in the
cross-entropy, and (1 - V) * strength * KL(model || base) is added.
Paper: Peng et al., Shape it Up!, arXiv 2505.17196.
Moments: setup (the values; what the base says of all rows), weigh_tokens, add_loss.
Cost: before the first step one pass of the base over all rows, and the guard: the base as its own guard (methods/
guards) takes 8 passes over the prompts, a classifier one for each chunk. In a step none where the base's answers fit
KEPT_BYTES, else a reference pass a batch with a value below 1.
Fails: a guard that takes the user's own subject for harm turns its rows into staying put: nothing of them is learned.
`shaping/mean_value` in the history tells; where no token has a value the run is refused.
Deviation: without a folder the guard is the base itself, where the paper has guard models. The divergence is over the
vocabulary (large ones: the TOP likeliest tokens and the rest as one), not sampled. Neutral value: bias -1e6, with which
the base finds everything safe.
"""

from pathlib import Path

import torch
from torch import Tensor

from safety_assets.errors import TrainingError
from safety_assets.method_specs import DynamicShaping
from safety_assets.methods.guards import Guard, Partial, base_guard, classifier_guard
from safety_assets.methods.kept import Kept
from safety_assets.methods.moments import Context, Method, Passes
from safety_assets.methods.references import Reference, read_reference, token_kl
from safety_assets.models.batch import Batch


def chunk_values(batch: Batch, guard: Guard, chunk: int) -> Tensor:
    """V of each target: the guard's value of its answer up to the end of its chunk.  # (responses,) fp32

    Args:
        guard: partial answers to values.
        chunk: tokens of a chunk; an answer's last one may be shorter.

    Raises:
        TrainingError: the guard gives anything but one number from 0 to 1 for each.
    """
    partials: list[Partial] = []
    sizes: list[int] = []
    for ids, said in zip(batch.ids.tolist(), batch.response.tolist(), strict=True):
        for start, end in _answers(said):
            for at in range(start, end, chunk):
                stop = min(at + chunk, end)
                partials.append(Partial(tuple(ids[:start]), tuple(ids[start:stop])))
                sizes.append(stop - at - (at == 0))  # the first token of a row is no target
    values = torch.tensor(guard(partials) if partials else [], dtype=torch.float32)
    if values.shape != (len(partials),) or not ((values >= 0) & (values <= 1)).all():
        raise TrainingError(
            f"the guard of dynamic_shaping gave {values.tolist()[:8]} for {len(partials)} partial answers",
            expected="one number from 0 to 1 for each", do="correct the guard",
        )  # fmt: skip
    return values.repeat_interleave(torch.tensor(sizes, dtype=torch.int64))


def _answers(said: list[bool]) -> list[tuple[int, int]]:
    """First token and one past the last of every answer."""
    edges = [i for i in range(len(said) + 1) if (i < len(said) and said[i]) != (i > 0 and said[i - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


class DynamicShaper(Method):
    """Cross-entropy and divergence mixed by the values of a guard.

    Args:
        spec: strength, chunk, guard.
    """

    def __init__(self, spec: DynamicShaping) -> None:
        self._spec = spec
        self._kept: Kept | None = None

    def setup(self, context: Context) -> None:
        """Read every value once, then what the base says of all rows."""
        spec = self._spec
        guard = (
            base_guard(context, spec.bias)
            if spec.guard is None
            else classifier_guard(Path(spec.guard), spec.guard_identity, context.tokenizer)
        )
        self._values = Kept(context, lambda batch: (chunk_values(batch, guard, spec.chunk),), bound=2**62)
        (every,) = self._values.tables or (torch.empty(0),)
        if not (every >= 1e-3).any():
            raise TrainingError(
                "the guard of dynamic_shaping finds no token of the training rows safe, so nothing would be learned",
                expected="values above 0", do="lower bias, or name another guard",
            )  # fmt: skip
        context.log("shaping/mean_value", float(every.mean()))
        if spec.strength and (every < 1).any():
            self._kept = Kept(context, read_reference(context))

    def weigh_tokens(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """V, where it is not 1 throughout."""
        (values,) = self._values.of(batch)
        return None if (values == 1).all() else values

    def add_loss(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """strength * the sum of (1 - V) * KL(model || base)."""
        (values,) = self._values.of(batch)
        if self._kept is None or (values == 1).all():
            return None
        divergence = token_kl(Reference(*self._kept.of(batch)), logits, reverse=True)
        return self._spec.strength * context.safety_weight() * ((1 - values) * divergence).sum()

    def passes(self, step: int) -> Passes:
        """The base on every batch where nothing could be kept."""
        return Passes(reference=int(self._kept is not None and not self._kept.is_table))
