"""Layers and output layers of a decoder; that every supported architecture has them, the contracts test."""

from pathlib import Path

import pytest

from safety_assets.errors import ModelError
from safety_assets.methods.safety_layers import scaled
from safety_assets.methods.safety_neurons import neuron_states
from safety_assets.models.decoder import decoder_layers, output_layers
from safety_assets.models.load import load_model

CHATS = [[{"role": "user", "content": "Open?"}]]


def test_layers_and_what_they_end_with(tiny_model: Path) -> None:
    model = load_model(tiny_model, device="cpu").model
    assert decoder_layers(model) == list(model.model.layers)
    attention = [layer.self_attn.o_proj for layer in model.model.layers]
    assert output_layers(model) == (attention, [layer.mlp.down_proj for layer in model.model.layers])


def test_a_model_without_such_a_list_is_never_guessed(tiny_model: Path) -> None:
    loaded = load_model(tiny_model, device="cpu")
    loaded.model.config.num_hidden_layers = 3
    assert decoder_layers(loaded.model) is None
    assert output_layers(loaded.model) is None
    assert neuron_states(loaded, CHATS) == []
    with pytest.raises(ModelError, match="no layers are found in LlamaForCausalLM"), scaled(loaded.model, [0], 1.1):
        pass
