from pathlib import Path

import pytest
import torch
from opened_training import open_training, take_steps, weights

from safety_assets.errors import TrainingError
from safety_assets.method_specs import Bottleneck
from safety_assets.training.footprint import adapter_parameters, shape_of

ENTRY = {"method": "bottleneck", "rank": 3, "depth": 0, "activation": "relu"}


def test_what_is_merged_is_a_nonlinear_function_of_the_weight(tiny_model: Path, tmp_path: Path):
    run = take_steps(open_training(tiny_model, tmp_path, ENTRY | {"scale": 0.5}))
    before = weights(run)
    for method, context in reversed(run.acting):
        method.finish(context)
    name = "model.layers.1.mlp.down_proj."  # 64 in, 32 out
    weight, down, up = (
        before[name + part] for part in ("base_layer.weight", "peanut_A.default.weight", "peanut_B.default.weight")
    )  # (32, 64), (3, 32), (32, 3)
    expected = weight + 0.5 * ((weight.T @ down.T).relu() @ up.T).T
    found = weights(run)[name + "weight"]
    assert torch.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(found, weight, atol=1e-4)


def test_it_starts_as_the_base(tiny_model: Path, tmp_path: Path):
    run, plain = open_training(tiny_model, tmp_path, ENTRY), open_training(tiny_model, tmp_path / "plain")
    ids = torch.arange(4, 30)[None]
    with torch.no_grad():
        assert torch.allclose(run.loaded.model(input_ids=ids).logits, plain.loaded.model(input_ids=ids).logits)


def test_switched_off_it_is_the_base(tiny_model: Path, tmp_path: Path):
    run = take_steps(open_training(tiny_model, tmp_path, ENTRY))
    plain = open_training(tiny_model, tmp_path / "plain").loaded.model
    ids = torch.arange(4, 30)[None]
    model = run.loaded.model.eval()
    with torch.no_grad(), run.methods[0].as_base(run.contexts[0]):
        assert torch.allclose(model(input_ids=ids).logits, plain(input_ids=ids).logits, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(model(input_ids=ids).logits, plain(input_ids=ids).logits, atol=1e-2)


@pytest.mark.parametrize("depth", [0, 2])
def test_its_footprint_is_counted_before_it_is_built(tiny_model: Path, tmp_path: Path, depth: int):
    run = open_training(tiny_model, tmp_path, ENTRY | {"depth": depth})
    trained = sum(p.numel() for p in run.loaded.model.parameters() if p.requires_grad)
    assert adapter_parameters(shape_of(tiny_model), run.order.recipe) == trained
    assert Bottleneck.model_validate(ENTRY).added(10, 20) == 2 * 3 * 10


def test_layers_that_are_not_there_are_refused_in_words(tiny_model: Path, tmp_path: Path):
    with pytest.raises(TrainingError, match="bottleneck finds no layer"):
        open_training(tiny_model, tmp_path, ENTRY | {"layers": ["nowhere"]})
