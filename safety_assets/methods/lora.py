"""LoRA: train a low-rank update of the linear layers, and serve the merged weights.

Idea: W' = W + (alpha / rank) B A with A (rank x in), B (out x rank); only A and B are trained, B starts at zero.
Paper: Hu et al., LoRA, arXiv 2106.09685.
Moments: setup (wraps the layers), finish (merges). Combined with others it comes first, so that inner products of
gradients live in the trained subspace.
Cost: fewer optimiser bytes; a step is no faster on a small model.
Fails: less drift than full fine-tuning per unit learned, but no protection by itself; too small a rank does not
learn the task.
Deviation: initial values come from the method's own generator; no neutral value exists (rank is at least 1): a
recipe without the method is the neutral one.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from peft import LoraConfig, LoraModel
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from safety_assets.errors import TrainingError
from safety_assets.method_specs import LowRankAdaptation
from safety_assets.methods.moments import Context, Method
from safety_assets.models.adapter import refuse_tied
from safety_assets.models.load import forked_random_state


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
        layers = _left_free(context.model, self._spec.layers)
        config = LoraConfig(
            r=self._spec.rank, lora_alpha=self._spec.alpha, lora_dropout=self._spec.dropout, target_modules=layers,
            task_type="CAUSAL_LM", fan_in_fan_out=any(isinstance(m, Conv1D) for m in context.model.modules()),
        )  # fmt: skip
        assert isinstance(context.model, PreTrainedModel)
        with forked_random_state(context.model):
            torch.manual_seed(int(context.rng.integers(2**31)))
            try:
                self._wrapped = LoraModel(context.model, config, "default")
            except ValueError as error:
                raise TrainingError(f"LoRA finds no layer: {error}", do="correct layers in the recipe") from error
        refuse_tied(context.model)

    def as_base(self, context: Context) -> AbstractContextManager[None]:
        """The base's own weights are frozen: with the adapters off the model is the base."""
        return self._off()

    @contextmanager
    def _off(self) -> Iterator[None]:
        assert self._wrapped is not None
        self._wrapped.disable_adapter_layers()
        try:
            yield
        finally:
            self._wrapped.enable_adapter_layers()

    def finish(self, context: Context) -> None:
        """Add (alpha / rank) B A to the weights and take A and B away."""
        assert self._wrapped is not None
        merged = self._wrapped.merge_and_unload()
        assert merged is context.model


def _left_free(model: nn.Module, layers: tuple[str, ...] | str) -> list[str] | str:
    """The layers to adapt: as the recipe says, less those that another method has frozen."""
    frozen = {name for name, m in model.named_modules() if _linear(m) and not m.weight.requires_grad}
    if not frozen:
        return layers if isinstance(layers, str) else list(layers)
    free = [name for name, m in model.named_modules() if _linear(m) and name not in frozen]
    assert isinstance(model, PreTrainedModel)
    output = {n for n, m in model.named_modules() if m is model.get_output_embeddings()}
    if isinstance(layers, str):
        return [name for name in free if name not in output]
    return [name for name in free if any(name == own or name.endswith(f".{own}") for own in layers)]


def _linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear | Conv1D)
