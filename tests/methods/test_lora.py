"""The base in four bits; what LoRA does in full precision stands in tests/contracts."""

import importlib.util
from pathlib import Path

import pytest
import torch
from opened_training import open_training, take_steps, weights

from safety_assets.errors import ModelError
from safety_assets.models.checkpoint import export_model
from safety_assets.models.load import load_model

QLORA = {"method": "lora", "rank": 4, "quantise": "4bit"}

with_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed"
)


def test_four_bits_without_a_device_are_refused_in_words(tiny_model: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="quantise: 4bit on cpu.*CUDA device.*or the recipe"):
        open_training(tiny_model, tmp_path, QLORA)


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """bitsandbytes computes there too, slowly; a run is asked to use CUDA."""
    monkeypatch.setattr("safety_assets.models.load._demand_quantisable", lambda *a: None)


@with_bitsandbytes
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("on_the_cpu")
def test_the_base_stands_in_four_bits_and_only_adapters_are_trained(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, QLORA)
    kinds = {n: p.dtype for n, p in run.loaded.model.named_parameters()}
    assert kinds["model.layers.0.mlp.up_proj.base_layer.weight"] == torch.uint8
    assert {t for n, t in kinds.items() if "base_layer" not in n} == {torch.float32}
    assert all("lora_" in n for n, p in run.loaded.model.named_parameters() if p.requires_grad)
    assert len(take_steps(run).optimiser.state) == 2 * 2 * 7


@with_bitsandbytes
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("on_the_cpu")
def test_what_is_served_is_the_base_in_full_precision_with_the_update(tiny_model: Path, tmp_path: Path):
    run = take_steps(open_training(tiny_model, tmp_path, QLORA))
    trained = weights(run)
    for method, context in reversed(run.acting):
        method.finish(context)
    export_model(run.loaded, tmp_path / "out")
    base, served = (dict(load_model(f).model.named_parameters()) for f in (tiny_model, tmp_path / "out"))
    assert base.keys() == served.keys()
    for name in base:
        stem = name.removesuffix("weight")
        if not name.endswith("_proj.weight"):
            assert torch.equal(base[name], served[name])
            continue
        update = trained[stem + "lora_B.default.weight"] @ trained[stem + "lora_A.default.weight"]
        assert torch.allclose(served[name], base[name] + 16 / 4 * update, atol=1e-5)
        assert not torch.equal(base[name], served[name])


@with_bitsandbytes
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("on_the_cpu")
def test_in_four_bits_too_frozen_layers_get_no_adapter(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, QLORA, {"method": "layer_freezing", "layers": [0]})
    trained = [n for n, p in run.loaded.model.named_parameters() if p.requires_grad]
    assert len(trained) == 2 * 7
    assert all(".layers.1." in n for n in trained)
