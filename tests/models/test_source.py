"""From the setting to a folder: paths, adapters, templates; composed folders are models like any other."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from safety_assets.errors import ModelError
from safety_assets.models.chat import encode_prompt
from safety_assets.models.checkpoint import export_model
from safety_assets.models.identity import identify
from safety_assets.models.load import load_model
from safety_assets.models.source import ModelSource, model_folder
from safety_assets.models.weights import inspect_weights

CHAT = [{"role": "user", "content": "What is 7 plus 5?"}]
Adapter = Callable[..., Path]


def folder_of(where: Path, **said: object) -> Path:
    return model_folder(ModelSource(**{"base": None, **said}), root=where, composed=where / "composed")


def change(path: Path, **settings: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def test_a_plain_folder_is_used_as_it_is(tiny_model: Path, tmp_path: Path):
    assert folder_of(tmp_path, base=str(tiny_model)) == tiny_model
    assert folder_of(tiny_model.parent, base=tiny_model.name) == tiny_model


@pytest.mark.parametrize("name", ["nowhere", "org/name"])
def test_no_folder_is_refused_with_both_remedies(tmp_path: Path, name: str):
    with pytest.raises(ModelError, match=r"is no folder.*or pin the hub's model to a commit"):
        folder_of(tmp_path, base=name)


@pytest.mark.parametrize("revision", ["main", "v1.0", "0123abc", "A" * 40])
def test_a_hub_model_that_is_not_pinned_is_refused(tmp_path: Path, revision: str):
    with pytest.raises(ModelError, match=r"is not pinned.*40 hex digits"):
        folder_of(tmp_path, base=f"org/name@{revision}")


def test_a_system_prompt_is_part_of_the_model(tiny_model: Path, tmp_path: Path):
    folder = folder_of(tmp_path, base=str(tiny_model), system_prompt="Be brief.")
    served, own = load_model(folder), load_model(tiny_model)
    told = [{"role": "system", "content": "Be brief."}, *CHAT]
    assert encode_prompt(served.tokenizer, CHAT) == encode_prompt(own.tokenizer, told)
    before, after = identify(tiny_model).parts, identify(folder).parts
    assert {part for part in after if after[part] != before[part]} == {"template"}
    assert folder_of(tmp_path, base=str(tiny_model), system_prompt="Be brief.") == folder
    other = folder_of(tmp_path, base=str(tiny_model), system_prompt="Be kind.")
    assert identify(other).digest != identify(folder).digest


def test_what_is_exported_is_served_with_the_same_words(tiny_model: Path, tmp_path: Path):
    folder = folder_of(tmp_path, base=str(tiny_model), system_prompt="Be brief.")
    export_model(load_model(folder), tmp_path / "out")
    assert identify(tmp_path / "out").parts["template"] == identify(folder).parts["template"]
    assert folder_of(tmp_path, base="out", system_prompt="Be brief.") == tmp_path / "out"
    assert not any(path.is_symlink() for path in (tmp_path / "out").iterdir())


def test_the_projects_template_stands_in_for_a_missing_one(tiny_model: Path, tmp_path: Path):
    base = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    template = (base / "chat_template.jinja").read_text()
    (base / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match=r"no chat template.*chat_template in project\.yaml"):
        identify(folder_of(tmp_path, base="base"))
    served = load_model(folder_of(tmp_path, base="base", chat_template=template))
    assert encode_prompt(served.tokenizer, CHAT) == encode_prompt(load_model(tiny_model).tokenizer, CHAT)


def test_the_projects_template_goes_before_one_in_the_tokenizers_settings(tiny_model: Path, tmp_path: Path):
    base = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    template = (base / "chat_template.jinja").read_text()
    (base / "chat_template.jinja").unlink()
    change(base / "tokenizer_config.json", chat_template="{{ messages[0].content }}")
    served = load_model(folder_of(tmp_path, base="base", chat_template=template))
    assert served.tokenizer.get_chat_template() == template


def test_a_file_that_is_added_or_changed_in_the_base_is_seen(tiny_model: Path, tmp_path: Path):
    base = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    (base / "generation_config.json").unlink()
    digests = {identify(folder_of(tmp_path, base="base", system_prompt="x")).digest}
    for text in ("{}", '{"eos_token_id": 3}'):
        (base / "generation_config.json").write_text(text)
        digests.add(identify(folder_of(tmp_path, base="base", system_prompt="x")).digest)
    assert len(digests) == 3


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")  # PEFT's own
@pytest.mark.parametrize("kind", [{}, {"use_rslora": True}, {"use_dora": True}, {"rank_pattern": {"q_proj": 2}}])
def test_a_base_with_its_adapter_is_what_peft_makes_of_them(
    tiny_model: Path, tmp_path: Path, adapter: Adapter, kind: dict
):
    own = adapter(**kind)
    merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), own).merge_and_unload()
    loaded = load_model(folder_of(tmp_path, base=str(tiny_model), adapter="adapter"))
    state, wanted = loaded.model.state_dict(), merged.state_dict()
    assert state.keys() == wanted.keys()
    assert all(torch.equal(state[name], wanted[name]) for name in wanted)
    assert all(parameter.requires_grad for parameter in loaded.model.parameters())
    assert not torch.equal(
        state["model.layers.0.self_attn.q_proj.weight"],
        load_file(tiny_model / "model.safetensors")["model.layers.0.self_attn.q_proj.weight"],
    )


def test_the_identity_covers_base_and_adapter(tiny_model: Path, tmp_path: Path, adapter: Adapter):
    adapter()
    base = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    before = identify(folder_of(tmp_path, base="base", adapter="adapter"))
    assert before.parts.keys() >= {"weights", "adapter", "configuration", "tokenizer", "template"}
    for path in (base / "model.safetensors", tmp_path / "adapter" / "adapter_model.safetensors"):
        weights = {name: tensor + 1 for name, tensor in load_file(path).items()}
        save_file(weights, path, metadata={"format": "pt"})
        after = identify(folder_of(tmp_path, base="base", adapter="adapter"))
        assert after.digest != before.digest
        before = after


def test_an_exported_adapter_is_merged_and_alone(tiny_model: Path, tmp_path: Path, adapter: Adapter):
    adapter()
    loaded = load_model(folder_of(tmp_path, base=str(tiny_model), adapter="adapter"))
    export_model(loaded, tmp_path / "out")
    assert "adapter" not in identify(tmp_path / "out").parts
    assert inspect_weights(tmp_path / "out").faults == ()
    again = load_model(tmp_path / "out").model.state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in loaded.model.state_dict().items())


def test_the_base_is_the_one_that_the_adapter_names_when_it_is_a_folder(
    tiny_model: Path, tmp_path: Path, adapter: Adapter
):
    config = adapter() / "adapter_config.json"
    assert json.loads(config.read_text())["base_model_name_or_path"] == str(tiny_model)
    named = identify(folder_of(tmp_path, adapter="adapter"))
    assert named == identify(folder_of(tmp_path, base=str(tiny_model), adapter="adapter"))
    change(config, base_model_name_or_path="org/name")
    with pytest.raises(ModelError, match=r"trained on 'org/name', which is no folder here.*write base beside adapter"):
        folder_of(tmp_path, adapter="adapter")


def test_an_adapters_own_tokenizer_and_template_are_taken(tiny_model: Path, tmp_path: Path, adapter: Adapter):
    own = adapter()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_model / name, own / name)
    template = (tiny_model / "chat_template.jinja").read_text().replace("<|user|>", "<|system|>") + "{# own #}"
    (own / "chat_template.jinja").write_text(template)
    served = load_model(folder_of(tmp_path, base=str(tiny_model), adapter="adapter"))
    assert served.tokenizer.get_chat_template() == template


def pickled(folder: Path) -> None:
    os.rename(folder / "adapter_model.safetensors", folder / "adapter_model.bin")


def foreign(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    save_file({f"{name}x": tensor for name, tensor in load_file(path).items()}, path)


def halved(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    weights = load_file(path)
    save_file({name: weights[name] for name in sorted(weights)[1:]}, path)


def setting(**changes: object) -> Callable[[Path], None]:
    return lambda folder: change(folder / "adapter_config.json", **changes)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (pickled, "pickled adapter weights"),
        (lambda folder: (folder / "adapter_model.safetensors").unlink(), "no adapter weights"),
        (lambda folder: (folder / "adapter_config.json").write_text("x"), "cannot be read"),
        (setting(peft_type="PREFIX_TUNING"), "type PREFIX_TUNING"),
        (setting(auto_map={"AutoModel": "evil.Model"}), "sets auto_map"),
        (setting(megatron_config={"a": 1}), "sets megatron_config"),
        (setting(layer_replication=[[0, 1]]), "sets layer_replication"),
        (setting(init_lora_weights="pissa"), "to 'pissa', which changes the base"),
        (setting(bias="all"), "to 'all', which changes the base"),
        (foreign, "holds unknown|lacks"),
        (halved, "lacks"),
    ],
)
def test_an_adapter_that_is_unsafe_or_unfit_is_refused(
    tiny_model: Path, tmp_path: Path, adapter: Adapter, spoil: Callable[[Path], None], words: str
):
    spoil(adapter())
    with pytest.raises(ModelError, match=words):
        load_model(folder_of(tmp_path, base=str(tiny_model), adapter="adapter"))


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings")
@pytest.mark.parametrize(
    "config", [{"target_modules": ["embed_tokens"]}, {"modules_to_save": ["lm_head"]}, {"target_modules": ["lm_head"]}]
)
def test_an_adapter_of_tied_weights_is_refused(tiny_model: Path, tmp_path: Path, adapter: Adapter, config: dict):
    adapter(**config)
    with pytest.raises(ModelError, match="one weight for both"):
        load_model(folder_of(tmp_path, base=str(tiny_model), adapter="adapter"))


def test_an_adapters_folder_is_no_model(tiny_model: Path, tmp_path: Path, adapter: Adapter):
    both = adapter()
    shutil.copytree(tiny_model, both, dirs_exist_ok=True)
    with pytest.raises(ModelError, match="it is an adapter"):
        identify(folder_of(tmp_path, base="adapter"))
