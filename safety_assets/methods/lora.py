"""LoRA: train a low-rank update of the linear layers, and serve the merged weights.

Idea: W' = W + (alpha / rank) B A with A (rank x in), B (out x rank); only A and B are trained, B starts at zero. With
`quantise: 4bit` (QLoRA) the frozen W stands in memory in 4 bits, and the update is merged into W in full precision.
Paper: Hu et al., LoRA, arXiv 2106.09685; Dettmers et al., QLoRA, arXiv 2305.14314.
Moments: setup (wraps the layers), finish (merges). Combined with others it comes first, so that inner products of
gradients live in the trained subspace.
Cost: fewer optimiser bytes; a step is no faster on a small model. In 4 bits the linear layers take an eighth of the
memory; at the end the base is read again, on the CPU.
Fails: less drift than full fine-tuning per unit learned, but no protection by itself; too small a rank does not
learn the task. In 4 bits the reference of other methods is the base in 4 bits, and what is served differs from what was
trained by the rounding of the base.
Deviation: initial values come from the method's own generator; QLoRA's double quantisation and paged optimiser are not
used; no neutral value exists (rank is at least 1): a recipe without the method is the neutral one.
"""

from contextlib import AbstractContextManager

import torch
from peft import LoraConfig, LoraModel, prepare_model_for_kbit_training
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from safety_assets.method_specs import LowRankAdaptation
from safety_assets.methods.adapters import left_free, off, put_in
from safety_assets.methods.moments import Context, Method, demand_whole
from safety_assets.models.load import in_full_precision


class LoRA(Method):
    """Low-rank adaptation through peft, in place; merged at the end.

    Args:
        spec: rank, alpha, dropout and which layers; `all-linear` is every linear layer but the output layer.
    """

    def __init__(self, spec: LowRankAdaptation) -> None:
        self._spec = spec
        self._wrapped: LoraModel | None = None

    def setup(self, context: Context) -> None:
        """Put A and B beside the layers and freeze all else; transposed layers (GPT-2) are known by their class."""
        layers = left_free(context.model, self._spec.layers)
        self._config = LoraConfig(
            r=self._spec.rank, lora_alpha=self._spec.alpha, lora_dropout=self._spec.dropout, target_modules=layers,
            task_type="CAUSAL_LM", fan_in_fan_out=any(isinstance(m, Conv1D) for m in context.model.modules()),
        )  # fmt: skip
        if self._spec.quantise:
            demand_whole(context, "lora in 4 bits", "quantised weights cannot be cut")
            prepare_model_for_kbit_training(context.model, use_gradient_checkpointing=False)  # the rest in fp32
        self._wrapped = put_in(context, lambda: LoraModel(context.model, self._config, "default"), "LoRA")

    def as_base(self, context: Context) -> AbstractContextManager[None]:
        """The base's own weights are frozen: with the adapters off the model is the base."""
        assert self._wrapped is not None
        return off(self._wrapped)

    def finish(self, context: Context) -> None:
        """Add (alpha / rank) B A to the weights and take A and B away."""
        assert self._wrapped is not None
        assert isinstance(context.model, PreTrainedModel)
        if self._spec.quantise:
            in_full_precision(context.model, self._merged_into_whole(context))
            return
        merged = self._wrapped.merge_and_unload()
        assert merged is context.model

    @torch.no_grad()
    def _merged_into_whole(self, context: Context) -> PreTrainedModel:
        """The base as its folder holds it, on the CPU, with the update."""
        assert context.whole_base is not None
        whole = context.whole_base()
        wrapped = LoraModel(whole, self._config, "default")
        trained = {n: p for n, p in context.model.named_parameters() if p.requires_grad}
        for name, parameter in whole.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(trained.pop(name))
        assert not trained
        merged = wrapped.merge_and_unload()
        assert isinstance(merged, PreTrainedModel)
        return merged
