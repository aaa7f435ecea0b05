import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from safety_assets.errors import ModelError
from safety_assets.models.generate import Generator
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


def changed(model: Path, tmp_path: Path, **settings: object) -> Path:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | settings))
    return folder


OWN = {"auto_map": {"AutoModelForCausalLM": "modeling_own.Own"}}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model_type": "own", **OWN}, "of type 'own', with code of its own.*never run"),
        ({"model_type": None}, "of type None.*a type that transformers"),
        ({"quantization_config": {"quant_method": "gptq"}}, r"stored quantised \(gptq\).*set quantise"),
    ],
)
def test_what_would_need_code_or_is_quantised_already_is_refused(
    tiny_model: Path, tmp_path: Path, settings: dict, words: str
):
    with pytest.raises(ModelError, match=words):
        load_model(changed(tiny_model, tmp_path, **settings))


def test_code_beside_a_known_model_is_never_run(tiny_model: Path, tmp_path: Path):
    folder = changed(tiny_model, tmp_path, **OWN)
    (folder / "modeling_own.py").write_text("raise SystemExit('this code was run')")
    assert type(load_model(folder).model).__name__ == "LlamaForCausalLM"


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(tiny_model: Path, tmp_path: Path, tiny_tokenizer):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    tokenizer = load_model(folder).tokenizer
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match="341 tokens, the model's embedding 340 rows"):
        load_model(folder)


def test_a_tokenizer_without_a_pad_token_pads_with_its_end_token(tiny_model: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({k: v for k, v in json.loads(config.read_text()).items() if k != "pad_token"}))
    chats = [[{"role": "user", "content": text}] for text in ("dog", "the small dog runs over the green hill")]
    without = load_model(folder)
    assert without.tokenizer.pad_token_id == without.tokenizer.eos_token_id
    assert Generator(without).generate(chats, 8) == Generator(load_model(tiny_model)).generate(chats, 8)


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_quantising_needs_a_gpu_and_its_package(tiny_model: Path, monkeypatch: pytest.MonkeyPatch, bits: str):
    with pytest.raises(ModelError, match=f"quantise: {bits} on cpu.*a CUDA device"):
        load_model(tiny_model, device="cpu", quantise=bits)
    monkeypatch.setattr("safety_assets.models.load.pick_device", lambda device: torch.device("cuda"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"without bitsandbytes.*pip install 'safety_assets\[quantise\]'"):
        load_model(tiny_model, quantise=bits)
