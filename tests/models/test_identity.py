import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from safety_assets.errors import ModelError
from safety_assets.models.identity import identify
from safety_assets.models.weights import inspect_weights


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_the_module_needs_no_torch():
    code = "import safety_assets.models.identity, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
def test_every_file_that_decides_answers_is_in_the_digest(model: Path, name: str):
    before = identify(model).digest
    (model / name).write_bytes((model / name).read_bytes() + b" ")
    assert identify(model).digest != before


def test_other_files_are_not_in_the_digest(model: Path):
    before = identify(model)
    (model / "README.md").write_text("about")
    assert identify(model) == before


@pytest.mark.parametrize(
    ("remove", "add", "words"),
    [
        ("model.safetensors", "pytorch_model.bin", "only pickled weights"),
        ("model.safetensors", "", "holds no weights"),
        ("tokenizer.json", "", "has no tokenizer"),
        ("chat_template.jinja", "", "has no chat template"),
        ("config.json", "", "has no config.json"),
    ],
)
def test_an_incomplete_folder_is_refused_in_words(model: Path, remove: str, add: str, words: str):
    (model / remove).unlink()
    if add:
        (model / add).write_bytes(b"x")
    with pytest.raises(ModelError, match=words):
        identify(model)


def test_a_template_may_stand_in_the_tokenizer_configuration(model: Path):
    template = (model / "chat_template.jinja").read_text()
    (model / "chat_template.jinja").unlink()
    settings = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": template}))
    assert "tokenizer_config.json" in identify(model).files


def test_no_folder_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="is no folder"):
        identify(tmp_path / "nothing")


def test_sound_weights(model: Path):
    report = inspect_weights(model)
    stored = load_file(model / "model.safetensors")
    assert (report.parameters, report.num_non_finite, report.faults) == (sum(t.numel() for t in stored.values()), 0, ())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_non_finite_values_are_counted(model: Path, dtype: torch.dtype):
    weights = {k: v.to(dtype) for k, v in load_file(model / "model.safetensors").items()}
    first = next(iter(weights.values())).view(-1)
    first[:3] = torch.tensor([np.nan, np.inf, -np.inf], dtype=dtype)
    save_file(weights, model / "model.safetensors")
    assert inspect_weights(model).num_non_finite == 3


@pytest.mark.parametrize("size", [4, 100, 20_000])
def test_a_truncated_file_is_a_fault_in_words(model: Path, size: int):
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    (fault,) = inspect_weights(model).faults
    assert "model.safetensors is damaged: it ends" in fault


def test_a_missing_shard_is_a_fault(model: Path):
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": "other.safetensors"}}))
    assert any("other.safetensors" in fault for fault in inspect_weights(model).faults)
