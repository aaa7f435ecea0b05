"""What a model is about to do at the end of a prompt: states of every layer, what heads and neurons give, first tokens.

Unlike `activations` it takes token ids, so that it can look at rows that are in training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from safety_assets.models.activations import over_prompts
from safety_assets.models.decoder import output_layers
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
    inputs = inputs_at_the_end(loaded, prompts, [*attention, *forward])
    heads = int(loaded.model.config.get_text_config().num_attention_heads)
    given = torch.stack(inputs[: len(attention)]).unflatten(-1, (heads, -1))  # (layers, prompts, heads, head width)
    return Entries(given.permute(0, 2, 1, 3).flatten(0, 1), torch.cat(inputs[len(attention) :], dim=-1))


def inputs_at_the_end(loaded: LoadedModel, prompts: Prompts, modules: Sequence[nn.Module]) -> list[Tensor]:
    """What goes into each of the modules at each prompt's last token, fp32, on the CPU.  # each (prompts, inputs)"""
    found: list[list[Tensor]] = [[] for _ in modules]

    def keep(place: int, module: nn.Module, given: tuple[Tensor, ...]) -> None:
        found[place].append(given[0].detach()[:, -1].float().cpu())

    hooks = [m.register_forward_pre_hook(partial(keep, place)) for place, m in enumerate(modules)]
    try:
        for _ in over_prompts(loaded, prompts):
            pass
    finally:
        for hook in hooks:
            hook.remove()
    return [torch.cat(parts) for parts in found]
