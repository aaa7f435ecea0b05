"""Neurons that tell kinds of prompts apart: planted ones are found, chance is not."""

from pathlib import Path

import pytest
import torch

from safety_assets.methods.safety_neurons import effect, neuron_states, replicated_effect, safety_neurons
from safety_assets.models.load import load_model

REFUSED = [[{"role": "user", "content": f"unsafe {word}"}] for word in ("dog", "cat", "form", "hill and more")]
COMPLIED = [[{"role": "user", "content": f"green {word}"}] for word in ("dog", "cat", "form", "hill and more")]


def noise(seed: int) -> torch.Tensor:
    return torch.randn(20, 500, generator=torch.Generator().manual_seed(seed))


def test_a_planted_neuron_is_the_largest_and_chance_is_damped() -> None:
    refused, complied = noise(0), noise(1)
    refused[:, 7] += 4
    complied[:, 9] += 4
    found = replicated_effect(refused, complied)
    assert {int(i) for i in found.abs().topk(2).indices} == {7, 9}
    assert found[7] > 2
    assert found[9] < -2
    pure = replicated_effect(noise(2), noise(3)).abs().max()
    assert pure < effect(noise(2), noise(3)).abs().max() < 2


def test_an_effect_of_one_half_alone_is_none() -> None:
    refused, complied = torch.zeros(8, 1), torch.zeros(8, 1)
    refused[::2], refused[1::2] = 1.0, -1.0
    refused, complied = refused + 0.1 * noise(0)[:8, :1], complied + 0.1 * noise(1)[:8, :1]
    assert replicated_effect(refused, complied) == pytest.approx(0)


def test_states_are_what_enters_the_last_layer_of_a_block(tiny_model: Path) -> None:
    loaded = load_model(tiny_model, device="cpu")
    states = neuron_states(loaded, REFUSED)
    assert [tuple(s.shape) for s in states] == [(4, 64), (4, 64)]  # neurons of the feed-forward part
    found = safety_neurons(loaded, REFUSED, COMPLIED)
    assert len(found) == 50
    assert [abs(e) for _, _, e in found] == sorted((abs(e) for _, _, e in found), reverse=True)
    assert {layer for layer, _, _ in found} <= {0, 1}
