"""Folders that a user may bring: a PEFT adapter, shards."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM


@pytest.fixture
def adapter(tiny_model: Path, tmp_path: Path) -> Callable[..., Path]:
    """Trains nothing: an adapter with random B, saved by PEFT itself."""
    from peft import LoraConfig, get_peft_model

    def make(base: Path = tiny_model, **config: object) -> Path:
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PEFT's own, about tied weights: what is tested is our answer to them
            torch.manual_seed(3)
            settings = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "down_proj"], "task_type": "CAUSAL_LM"}
            model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**settings | config))
            for name, parameter in model.named_parameters():
                if "lora_B" in name or "modules_to_save" in name:
                    torch.nn.init.normal_(parameter, std=0.1)
            model.save_pretrained(tmp_path / "adapter", save_embedding_layers=False)
        return tmp_path / "adapter"

    return make


@pytest.fixture
def sharded(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model in two shards with their index."""
    folder = tmp_path / "sharded"
    folder.mkdir()
    for path in tiny_model.iterdir():
        if path.suffix != ".safetensors":
            (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(tiny_model / "model.safetensors")
    names = sorted(weights)
    places = {}
    for number, part in enumerate((names[:9], names[9:]), 1):
        shard = f"model-{number:05d}-of-00002.safetensors"
        save_file({name: weights[name] for name in part}, folder / shard, metadata={"format": "pt"})
        places |= dict.fromkeys(part, shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder
