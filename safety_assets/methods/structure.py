"""Where the parts of a decoder are, found by structure and not by name: layers, attention, MLP, and its neurons.

Made for Llama, Qwen, Mistral, Gemma, Phi, GPT-2 and GPT-NeoX; what is built otherwise is refused, never guessed.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from safety_assets.errors import TrainingError
from safety_assets.models.decoder import decoder_layers

FROZEN = "frozen_by_recipe"
"""The mark of a parameter that was frozen on purpose: a weight in 4 bits has no gradient in any case."""


@dataclass(frozen=True)
class Slice:
    """Some rows or columns of a weight: one neuron per index along `axis`, in `copies` blocks that stand in a row.

    Args:
        weight: the tensor.
        axis: along which the neurons lie.
        copies: 2 where one matrix holds gate and up projection (Phi-3), else 1.
    """

    weight: nn.Parameter
    axis: int
    copies: int


@dataclass(frozen=True)
class Neurons:
    """The MLP neurons of one layer.

    Args:
        down: the projection whose inputs the neurons are.
        width: how many there are.
        slices: everything that belongs to single neurons: rows into them, their biases, columns out of them.
    """

    down: nn.Module
    width: int
    slices: tuple[Slice, ...]

    def outgoing(self) -> Tensor:
        """Length of what each neuron writes into the residual stream when it is 1.  # (width,)"""
        return weight_of(self.down).detach().float().norm(dim=0 if isinstance(self.down, nn.Linear) else 1)


def layers(model: nn.Module) -> list[nn.Module]:
    """The decoder layers, in order.

    Raises:
        TrainingError: the model has no list of as many modules as its configuration has layers.
    """
    assert isinstance(model, PreTrainedModel)
    found = decoder_layers(model)
    if found is None:
        count = model.config.get_text_config().num_hidden_layers
        raise TrainingError(
            f"{type(model).__name__} has no list of {count} layers", expected="a decoder of equal layers",
            do="take the method that looks for layers out of the recipe",
        )  # fmt: skip
    return found


def blocks(layer: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Attention and MLP of a layer: of its two children that hold linear layers, the one named after attention first.

    Raises:
        TrainingError: the layer is built otherwise.
    """
    holding = [(name, child) for name, child in layer.named_children() if any(map(is_linear, child.modules()))]
    attention = [child for name, child in holding if "att" in name]
    other = [child for name, child in holding if "att" not in name]
    if len(attention) != 1 or len(other) != 1:
        raise TrainingError(
            f"{type(layer).__name__} holds {', '.join(name for name, _ in holding) or 'no linear layer'}",
            expected="one attention and one MLP", do="take the method that looks for them out of the recipe",
        )  # fmt: skip
    return attention[0], other[0]


def neurons(layer: nn.Module) -> Neurons:
    """The MLP neurons of a layer: the last linear layer reads them, the others write them.

    Raises:
        TrainingError: the MLP is no such pair (a mixture of experts, adapters in it).
    """
    mlp = blocks(layer)[1]
    linear = [m for m in mlp.modules() if is_linear(m)]
    *incoming, down = linear
    width = _sides(down)[0]
    if not incoming or any(_sides(m)[1] % width for m in incoming) or len(linear) > 3:
        raise TrainingError(
            f"{type(mlp).__name__} holds linear layers from and to {', '.join(str(_sides(m)) for m in linear)}",
            expected="projections into neurons and one out of them", do="take neuron_mask out of the recipe",
        )  # fmt: skip
    slices = [Slice(weight_of(down), 1 if isinstance(down, nn.Linear) else 0, 1)]
    for module in incoming:
        copies = _sides(module)[1] // width
        slices.append(Slice(weight_of(module), 0 if isinstance(module, nn.Linear) else 1, copies))
        if isinstance(module.bias, nn.Parameter):
            slices.append(Slice(module.bias, 0, copies))
    return Neurons(down, width, tuple(slices))


def is_linear(module: nn.Module) -> bool:
    """Whether it is a matrix: a linear layer, or GPT-2's, which stores its weight transposed."""
    return isinstance(module, nn.Linear | Conv1D)


def freeze(parameter: nn.Parameter) -> None:
    """Take a parameter out of training for good: no adapter is put beside it either."""
    parameter.requires_grad_(False)
    setattr(parameter, FROZEN, True)


def is_frozen(module: nn.Module) -> bool:
    """Whether a linear layer is kept out of training; one in 4 bits only if it was frozen on purpose."""
    weight = weight_of(module)
    return getattr(weight, FROZEN, False) or (weight.is_floating_point() and not weight.requires_grad)


def weight_of(module: nn.Module) -> nn.Parameter:
    """The weight of a linear layer."""
    assert isinstance(module.weight, nn.Parameter)
    return module.weight


def _sides(module: nn.Module) -> tuple[int, int]:
    """Inputs and outputs."""
    rows, columns = weight_of(module).shape
    return (columns, rows) if isinstance(module, nn.Linear) else (rows, columns)
