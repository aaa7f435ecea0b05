"""Neurons of the feed-forward layers that tell refused from answered prompts.

Idea: the inputs of a block's last linear layer are its neurons. One that is active for prompts that the model refuses
and not for those that it answers takes part in refusing.
Paper: after Chen et al., Finding Safety Neurons in Large Language Models, arXiv 2406.14144.
Cost: the activations of all prompts once.
Fails: a neuron may follow the subject rather than the harm. Freezing these neurons alone protects little (a negative
result of arXiv 2408.17003), so that they are shown and not used.
Deviation: the paper contrasts an aligned model with its ancestor; here refused prompts are contrasted with answered
ones, so that no ancestor is needed. The effect has to show in both halves of the prompts, since among many neurons
some differ by chance.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from safety_assets.models.chat import Chat, encode_prompt
from safety_assets.models.decoder import output_layers
from safety_assets.models.load import LoadedModel
from safety_assets.models.outlook import inputs_at_the_end

NUM_NEURONS = 50
"""Neurons that are named."""

Neuron = tuple[int, int, float]
"""Layer, number in its layer, effect."""


def safety_neurons(loaded: LoadedModel, refused: Sequence[Chat], complied: Sequence[Chat]) -> tuple[Neuron, ...]:
    """The neurons of the largest effect, the largest first; at least four prompts of each kind."""
    one, other = neuron_states(loaded, refused), neuron_states(loaded, complied)
    found = [
        (layer, place, float(value))
        for layer, (a, b) in enumerate(zip(one, other, strict=True))
        for value, place in zip(*_largest(replicated_effect(a, b)), strict=True)
    ]
    return tuple(sorted(found, key=lambda neuron: (-abs(neuron[2]), neuron))[:NUM_NEURONS])


def effect(refused: Tensor, complied: Tensor) -> Tensor:
    """Difference of the means in pooled standard deviations.  # (m, neurons), (n, neurons) to (neurons,)"""
    pooled = ((refused.var(0) + complied.var(0)) / 2).sqrt()
    return (refused.mean(0) - complied.mean(0)) / pooled.clamp(min=1e-6)


def replicated_effect(refused: Tensor, complied: Tensor) -> Tensor:
    """The smaller effect of two halves of the prompts; 0 where they disagree in sign.  # (neurons,)"""
    first, second = (effect(refused[i::2], complied[i::2]) for i in (0, 1))
    smaller = torch.minimum(first.abs(), second.abs()) * first.sign()
    return torch.where(first.sign() == second.sign(), smaller, torch.zeros_like(smaller))


def neuron_states(loaded: LoadedModel, chats: Sequence[Chat]) -> list[Tensor]:
    """What enters the last linear layer of every feed-forward at the prompt's last token, fp32.

    Returns:
        (chats, neurons) for each layer; nothing for an architecture in which they are not found.
    """
    outputs = output_layers(loaded.model)
    prompts = [encode_prompt(loaded.tokenizer, chat) for chat in chats]
    return inputs_at_the_end(loaded, prompts, outputs[1]) if outputs else []


def _largest(values: Tensor) -> tuple[list[float], list[int]]:
    places = values.abs().topk(min(NUM_NEURONS, values.numel())).indices
    return values[places].tolist(), places.tolist()
