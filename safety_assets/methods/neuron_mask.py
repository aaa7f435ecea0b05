"""Hold the MLP neurons that refusals rest on, and train all else.

Idea: a neuron is one input of a layer's MLP down projection, with the rows that write it and the column it writes. Its
part in refusing is |mean activation on refusals - on answered look-alikes| * |its column|, what it writes into the
residual stream when the model refuses and not when it answers. The `share` of all neurons with the largest part gets no
gradient, anywhere, and stays as it is.
Paper: after Chen et al., Finding Safety Neurons in Large Language Models, arXiv 2406.14144 (contrast of activations at
answer tokens); the neuron as a pair of key and value: Geva et al., arXiv 2012.14913.
Moments: setup (forward passes over pairs; hooks on the weights, so that every gradient lives outside the mask),
after_step (weight decay would move what has no gradient: the held entries are written back).
Cost: at setup a forward pass of `rows` refusals and as many look-alikes; per step one copy of the held entries.
Fails: freezing safety neurons alone did not keep a model safe in arXiv 2408.17003; other neurons can undo what the held
ones say. Pairs decide: refusals and look-alikes that differ in form make neurons of form.
Deviation: the paper compares an aligned model with its ancestor; here refusals are compared with look-alikes in one
model, because not every base has an ancestor. With adapters the base's weights are frozen and there is nothing to mask:
a recipe with both is refused. Neutral value: a share of 0.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn

from safety_assets.errors import TrainingError
from safety_assets.methods import structure
from safety_assets.methods.moments import Context, Method, demand_whole
from safety_assets.methods.structure import Neurons, Slice
from safety_assets.models.batch import response_logits
from safety_assets.shaping_specs import NeuronMask as Spec


def part(refusing: Tensor, answering: Tensor, outgoing: Tensor) -> Tensor:
    """Each neuron's part in refusing.  # (width,) three times to (width,)"""
    return (refusing - answering).abs() * outgoing


def largest(parts: Sequence[Tensor], share: float) -> list[Tensor]:
    """Indices, per layer and sorted, of the neurons with the largest part over all layers together.

    Args:
        parts: of each layer's neurons.  # (width,) each
        share: of all neurons, rounded down.
    """
    every = torch.cat(list(parts))
    chosen = torch.zeros(len(every), dtype=torch.bool)
    chosen[every.argsort(descending=True, stable=True)[: int(share * len(every))]] = True
    return [mask.nonzero().flatten() for mask in chosen.split([len(p) for p in parts])]


class Held:
    """Rows or columns of one weight that no gradient reaches and no decay moves."""

    def __init__(self, piece: Slice, index: Tensor) -> None:
        size = piece.weight.shape[piece.axis] // piece.copies
        whole = torch.cat([index + copy * size for copy in range(piece.copies)])
        self._weight, self._axis, self._index = piece.weight, piece.axis, whole.to(piece.weight.device)
        self._kept = piece.weight.detach().index_select(self._axis, self._index)
        self._hook = piece.weight.register_hook(lambda g: g.index_fill(self._axis, self._index, 0))

    @torch.no_grad()
    def put_back(self) -> None:
        """Write the entries as they were."""
        self._weight.index_copy_(self._axis, self._index, self._kept)

    def release(self) -> None:
        """Let gradients through again."""
        self._hook.remove()


class NeuronMask(Method):
    """Safety neurons are not trained.

    Args:
        spec: share, and the pairs that neurons are judged on.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._held: list[Held] = []

    def setup(self, context: Context) -> None:
        """Judge the neurons and hold the chosen ones; frozen weights are held already."""
        demand_whole(context, "neuron_mask", "rows and columns are held in whole weights")
        if not self._spec.share:
            return
        layers = [structure.neurons(layer) for layer in structure.layers(context.model)]
        refusing, answering = (self._mean(context, layers, origin) for origin in ("refusal", "lookalike"))
        parts = [part(a, b, n.outgoing().cpu()) for a, b, n in zip(refusing, answering, layers, strict=True)]
        chosen = largest(parts, self._spec.share)
        pieces = [(piece, index) for n, index in zip(layers, chosen, strict=True) for piece in n.slices]
        self._held = [Held(piece, index) for piece, index in pieces if len(index) and piece.weight.requires_grad]
        context.log("neuron_mask/neurons", float(sum(map(len, chosen))))

    def _mean(self, context: Context, layers: Sequence[Neurons], origin: str) -> list[Tensor]:
        """Mean activation of every neuron where answer tokens are predicted, per layer, fp32.  # (width,) each"""
        batches = context.batches((origin,), self._spec.batch_rows)[: -(-self._spec.rows // self._spec.batch_rows)]
        if not batches:
            raise TrainingError(
                f"neuron_mask has no row of {origin}", expected="refusals and look-alikes in audited_corpus",
                do="add pairs or take neuron_mask out of the recipe",
            )  # fmt: skip
        context.model.eval()  # training puts it back
        sums, count = [torch.zeros(n.width) for n in layers], torch.zeros(1)
        for batch in batches:
            keep = batch.response[:, 1:]  # (rows, tokens - 1): position t predicts token t + 1
            with ExitStack() as stack, torch.no_grad():
                for own, n in zip(sums, layers, strict=True):
                    hook = n.down.register_forward_pre_hook(partial(_note, own, keep))
                    stack.callback(hook.remove)
                response_logits(context.model, batch)
            count += batch.num_responses
        context.ranks.add_up([*sums, count])
        return [own / count.clamp(min=1) for own in sums]

    def after_step(self, context: Context, step: int) -> None:
        """Undo what weight decay did to held entries."""
        for held in self._held:
            held.put_back()

    def finish(self, context: Context) -> None:
        """Leave plain weights behind."""
        for held in self._held:
            held.release()


def _note(total: Tensor, keep: Tensor, down: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    total += inputs[0][keep].float().sum(0).cpu()
