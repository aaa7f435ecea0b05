"""A bottleneck with a nonlinearity that can be merged: it reads the weights, not the activations (PEANuT).

Idea: W' = W + scale * (f(W^T A^T) B^T)^T with A (rank x out) down, B (out x rank) up and a nonlinearity f between; only
A and B, and `depth` pairs of square layers between them, are trained; B starts at zero.
Paper: PEANuT, arXiv 2410.01870, through peft. It takes the place of bottleneck adapters behind attention and MLP
(Houlsby et al., arXiv 1902.00751; Pfeiffer et al., arXiv 2005.00247): their nonlinearity acts on activations, so no
linear weight equals them, and transformers cannot load a folder with them without code of its own, which is never run
here. What is served must be complete weights that load anywhere; this is the bottleneck for which such weights exist.
Moments: setup (wraps the layers), finish (merges).
Cost: fewer optimiser bytes; every pass makes the update of every adapted weight anew, which takes the memory of these
weights once more while gradients are computed.
Fails: as LoRA it protects nothing by itself.
Deviation: initial values come from the method's own generator. Layers that store their weight transposed (GPT-2) are
refused. No neutral value exists (rank is at least 1): a recipe without the method is the neutral one.
"""

from contextlib import AbstractContextManager

from peft import PeanutConfig, PeanutModel

from safety_assets.method_specs import Bottleneck as Spec
from safety_assets.methods.adapters import left_free, off, put_in
from safety_assets.methods.moments import Context, Method


class Bottleneck(Method):
    """A nonlinear function of each weight is added to it.

    Args:
        spec: rank, depth, activation, scale and which layers; `all-linear` as for LoRA.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._wrapped: PeanutModel | None = None

    def setup(self, context: Context) -> None:
        """Put the bottlenecks beside the layers and freeze all else."""
        config = PeanutConfig(
            r=self._spec.rank, depth=self._spec.depth, act_fn=self._spec.activation, scaling=self._spec.scale,
            target_modules=left_free(context.model, self._spec.layers), task_type="CAUSAL_LM",
        )  # fmt: skip
        self._wrapped = put_in(context, lambda: PeanutModel(context.model, config, "default"), "bottleneck")

    def as_base(self, context: Context) -> AbstractContextManager[None]:
        """With the bottlenecks off the model is the base."""
        assert self._wrapped is not None
        return off(self._wrapped)

    def finish(self, context: Context) -> None:
        """Add the update to the weights and take the bottlenecks away."""
        assert self._wrapped is not None
        merged = self._wrapped.merge_and_unload()
        assert merged is context.model
