"""Where the parts of a decoder are: its layers, and the linear layers that attention and feed-forward end with."""

from collections.abc import Sequence

from torch import nn
from transformers.pytorch_utils import Conv1D

OutputLayers = tuple[list[nn.Module], list[nn.Module]]
"""Of attention and of the feed-forward, one each per decoder layer."""


def decoder_layers(model: nn.Module) -> list[nn.Module] | None:
    """The first list of as many modules as the configuration has layers; None where there is none."""
    count = model.config.get_text_config().num_hidden_layers  # type: ignore[union-attr,operator]
    found = (m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == count)
    return next((list(layers) for layers in found), None)


def output_layers(model: nn.Module) -> OutputLayers | None:
    """Per decoder layer the linear layer that attention and the one that the feed-forward ends with; None: not found.

    They are the last linear layer back to the model's width inside the part whose name says attn or attention, or mlp.
    """
    layers = decoder_layers(model)
    if layers is None:
        return None
    width = model.get_input_embeddings().embedding_dim  # type: ignore[operator]
    attention = [_last_back(layer, ("attn", "attention"), width) for layer in layers]
    forward = [_last_back(layer, ("mlp",), width) for layer in layers]
    if any(m is None for m in (*attention, *forward)):
        return None
    return [m for m in attention if m], [m for m in forward if m]


def _last_back(layer: nn.Module, words: Sequence[str], width: int) -> nn.Module | None:
    found = None
    for name, module in layer.named_modules():
        ours = any(word in name for word in words) and "lora_" not in name and not name.endswith("base_layer")
        if ours and _width_out(module) == width:
            found = module
    return found


def _width_out(module: nn.Module) -> int | None:
    base = getattr(module, "base_layer", module)  # a layer with adapters on it
    if isinstance(base, Conv1D):
        return int(base.nf)
    return int(base.out_features) if isinstance(base, nn.Linear) else None
