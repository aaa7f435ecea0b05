"""What a model is about to do at the end of a prompt: states of every layer, what heads and neurons give, first tokens.

Unlike `activations` it takes token ids, so that it can look at rows that are in training.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from safety_assets.models.activations import over_prompts
from safety_assets.models.load import LoadedModel

Prompts = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Outlook:
    """At each prompt's last token.

    Args:
        states: the output of every layer, fp32, on the CPU.  # (layers, prompts, width)
        logprobs: of the next token, nats, fp32, on the CPU.  # (prompts, vocab)
    """

    states: Tensor
    logprobs: Tensor


@dataclass(frozen=True)
class Entries:
    """What attention heads and neurons hand to the output layers of their blocks, at each prompt's last token.

    Args:
        heads: fp32, on the CPU.  # (layers * heads, prompts, head width)
        neurons: fp32, on the CPU.  # (prompts, layers * neurons)
    """

    heads: Tensor
    neurons: Tensor


def prompt_outlook(loaded: LoadedModel, prompts: Prompts) -> Outlook:
    """States and first tokens; at least one prompt of at least one token."""
    states, logprobs = [], []
    for out in over_prompts(loaded, prompts):
        states.append(torch.stack([h[:, -1] for h in out.hidden_states[1:]]).float().cpu())
        logprobs.append(out.logits[:, -1].float().log_softmax(-1).cpu())
    return Outlook(torch.cat(states, dim=1), torch.cat(logprobs))


def entries_of_outputs(loaded: LoadedModel, prompts: Prompts) -> Entries | None:
    """What heads and neurons give; None for an architecture in which their output layers are not found."""
    outputs = output_layers(loaded.model)
    if outputs is None:
        return None
    attention, forward = outputs
    heads = int(loaded.model.config.get_text_config().num_attention_heads)
    given, neurons, modules = [], [], [*attention, *forward]
    with _inputs_of(modules) as seen:
        for _ in over_prompts(loaded, prompts):
            inputs = [seen[place].float().cpu() for place in range(len(modules))]
            given.append(torch.stack(inputs[: len(attention)]))  # (layers, prompts, heads * head width)
            neurons.append(torch.cat(inputs[len(attention) :], dim=-1))  # (prompts, layers * neurons)
    per_head = torch.cat(given, dim=1).unflatten(-1, (heads, -1))
    return Entries(per_head.permute(0, 2, 1, 3).flatten(0, 1), torch.cat(neurons))


def output_layers(model: nn.Module) -> tuple[list[nn.Module], list[nn.Module]] | None:
    """Per decoder layer the linear layer that attention and the one that the feed-forward ends with; None: not found.

    They are the last linear layer back to the model's width inside the part whose name says attn or attention, or mlp.
    """
    blocks = max((m for m in model.modules() if isinstance(m, nn.ModuleList)), key=len, default=None)
    if blocks is None:
        return None
    width = model.get_input_embeddings().embedding_dim  # type: ignore[operator]
    attention = [_last_back(block, ("attn", "attention"), width) for block in blocks]
    forward = [_last_back(block, ("mlp",), width) for block in blocks]
    if any(m is None for m in (*attention, *forward)):
        return None
    return [m for m in attention if m], [m for m in forward if m]


def _last_back(block: nn.Module, words: Sequence[str], width: int) -> nn.Module | None:
    found = None
    for name, module in block.named_modules():
        ours = any(word in name for word in words) and "lora_" not in name and not name.endswith("base_layer")
        if ours and _width_out(module) == width:
            found = module
    return found


def _width_out(module: nn.Module) -> int | None:
    if isinstance(module, Conv1D):
        return int(module.nf)
    base = getattr(module, "base_layer", module)  # a layer with adapters on it
    if isinstance(base, Conv1D):
        return int(base.nf)
    return int(base.out_features) if isinstance(base, nn.Linear) else None


@contextmanager
def _inputs_of(modules: Sequence[nn.Module]) -> Iterator[dict[int, Tensor]]:
    """A table that holds, after every forward pass, what went into each of the modules last, at the last token."""
    seen: dict[int, Tensor] = {}

    def noting(place: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
            seen[place] = given[0].detach()[:, -1]

        return note

    handles = [m.register_forward_pre_hook(noting(place)) for place, m in enumerate(modules)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
