from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from safety_assets.models.checkpoint import export_model
from safety_assets.models.identity import identify
from safety_assets.models.load import load_model
from safety_assets.models.weights import inspect_weights


def test_exported_model_is_the_model_it_was_read_from(tiny_model: Path, tmp_path: Path):
    export_model(load_model(tiny_model), tmp_path / "out")
    before, after = identify(tiny_model), identify(tmp_path / "out")
    changed = {name for name in before.files if before.files[name] != after.files.get(name)}
    assert set(before.files) == set(after.files)
    assert changed <= {"model.safetensors"}
    assert all(torch.equal(a, b) for a, b in _pairs(tiny_model, tmp_path / "out"))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_export_keeps_the_stored_type(tiny_model: Path, tmp_path: Path, dtype: torch.dtype):
    import shutil

    half = tmp_path / "half"
    shutil.copytree(tiny_model, half)
    weights = {k: v.to(dtype) for k, v in load_file(half / "model.safetensors").items()}
    save_file(weights, half / "model.safetensors", metadata={"format": "pt"})
    export_model(load_model(half), tmp_path / "out")
    assert all(a.dtype == dtype and torch.equal(a, b) for a, b in _pairs(tmp_path / "out", half))
    assert inspect_weights(tmp_path / "out").parameters == inspect_weights(tiny_model).parameters


def _pairs(one: Path, other: Path):
    a, b = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    assert set(a) == set(b)
    return [(a[k], b[k]) for k in a]
