"""Model families to repair, and the ways in which their folders may be stored."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from model_family import Family, family_of
from safetensors.torch import load_file, save_file


@pytest.fixture(scope="session")
def family(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Family:
    return family_of(tiny_model, tmp_path_factory.mktemp("family"))


@pytest.fixture(scope="session")
def gpt2(tiny_tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """GPT-2: linear weights stored (in, out), output tied to the embedding."""
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("gpt2") / "model"
    ids = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
    config = GPT2Config(vocab_size=len(tiny_tokenizer), n_positions=64, n_embd=16, n_layer=2, n_head=2, **ids)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        GPT2LMHeadModel(config).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return family_of(folder, folder.parent)


@pytest.fixture
def in_two_shards(tmp_path: Path) -> Callable[[Path], Path]:
    def split(folder: Path) -> Path:
        out = tmp_path / f"{folder.name}-sharded"
        shutil.copytree(folder, out)
        tensors, places = load_file(out / "model.safetensors"), {}
        (out / "model.safetensors").unlink()
        for number, part in enumerate((sorted(tensors)[:9], sorted(tensors)[9:]), 1):
            shard = f"model-{number:05d}-of-00002.safetensors"
            save_file({name: tensors[name] for name in part}, out / shard, metadata={"format": "pt"})
            places |= dict.fromkeys(part, shard)
        index = {"metadata": {}, "weight_map": places}
        (out / "model.safetensors.index.json").write_text(json.dumps(index))
        return out

    return split


@pytest.fixture
def stored_as(tmp_path: Path) -> Callable[[Path, torch.dtype], Path]:
    def convert(folder: Path, kind: torch.dtype) -> Path:
        out = tmp_path / f"{folder.name}-{str(kind).rpartition('.')[2]}"
        shutil.copytree(folder, out)
        tensors = {name: tensor.to(kind) for name, tensor in load_file(out / "model.safetensors").items()}
        save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
        return out

    return convert
