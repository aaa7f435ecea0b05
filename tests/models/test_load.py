import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from safety_assets.errors import ModelError
from safety_assets.models.identity import identify
from safety_assets.models.load import load_model


def test_loaded_model_is_ready_to_answer(tiny_model: Path):
    loaded = load_model(tiny_model, device="cpu")
    assert not loaded.model.training
    assert loaded.digest == identify(tiny_model).digest
    assert loaded.stop_ids == (3,)
    assert loaded.tokenizer.pad_token_id == 0
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}


def test_missing_weights_are_never_made_up(tiny_model: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.0.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lack 1 tensors: model\.layers\.0\.mlp\.up_proj\.weight"):
        load_model(folder)


def test_a_truncated_file_is_refused_in_words(tiny_model: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)


@pytest.mark.parametrize("device", ["cuda:99", "toaster"])
def test_a_device_that_is_not_there_is_refused(tiny_model: Path, device: str):
    with pytest.raises(ModelError, match="Expected"):
        load_model(tiny_model, device=device)
