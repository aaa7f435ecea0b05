"""What every architecture must do under every way of training, on random weights made on the spot.

Llama runs with all tests; the others are marked `architectures`.
"""

from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from short_training import audited, train_shortly
from transformers import AutoConfig, AutoModelForCausalLM

from safety_assets.errors import TrainingError
from safety_assets.methods import structure
from safety_assets.models.batch import pad_right, response_logits
from safety_assets.models.chat import encode_chat, encode_prompt
from safety_assets.models.checkpoint import export_model
from safety_assets.models.decoder import output_layers
from safety_assets.models.generate import Generator
from safety_assets.models.identity import identify
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.models.outlook import entries_of_outputs
from safety_assets.models.weights import inspect_weights
from safety_assets.records import AUDITED
from safety_assets.training.run import Trained

SIZES = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.1,
}  # fmt: skip
WIDE = {**SIZES, "head_dim": 8}
ARCHITECTURES = {
    "llama": ("llama", SIZES | {"tie_word_embeddings": False}),
    "llama-tied": ("llama", SIZES | {"tie_word_embeddings": True}),
    "qwen2": ("qwen2", SIZES),
    "qwen3": ("qwen3", WIDE),
    "mistral": ("mistral", SIZES | {"sliding_window": 16}),
    "gemma": ("gemma", WIDE),
    "gemma2": ("gemma2", WIDE | {"sliding_window": 16}),
    "gemma3": ("gemma3_text", WIDE | {"sliding_window": 16}),
    "phi": ("phi", {**SIZES, "num_key_value_heads": 4, "resid_pdrop": 0.1}),
    "phi3": ("phi3", SIZES),
    "gpt2": ("gpt2", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.1}),
    "gpt_neox": ("gpt_neox", {**SIZES, "hidden_dropout": 0.1}),
}
"""Name to (model type, sizes). Some have a sliding window that a chat outgrows, some dropout."""

WAYS = {
    "full": [],
    "lora": [{"method": "lora", "rank": 4, "dropout": 0.1}],
    "surgery": [{"method": "gradient_surgery", "every": 1, "batch_rows": 3}],
    "both": [{"method": "lora", "rank": 4}, {"method": "gradient_surgery", "every": 1, "batch_rows": 3}],
}
FROZEN = {"method": "layer_freezing", "layers": [0]}
WAYS |= {
    "frozen": [FROZEN],
    "frozen and lora": [FROZEN, {"method": "lora", "rank": 4}],
    "bottleneck": [{"method": "bottleneck", "rank": 4}],
    "masked": [{"method": "neuron_mask", "share": 0.25, "batch_rows": 3}],
    "probed": [{"method": "safety_probing", "layers": [0, 1], "epsilon": 1e-2, "batch_rows": 2}],
}
ADAPTED = ("lora", "both", "frozen and lora", "bottleneck")
EVERY_WAY = pytest.mark.parametrize("way", WAYS)
PARTS = ("attn.", "attention.", "mlp.")
"""What the modules of attention and MLP are called."""
WORDS = ("open", "account", "dog", "green", "hill", "unsafe", "form", "cat", "answer", "small")
CHATS = [[{"role": "user", "content": " ".join((WORDS * 3)[i : i + 1 + 3 * (i % 5)])}] for i in range(9)]


def marked(name: str) -> object:
    return pytest.param(name, marks=() if name == "llama" else pytest.mark.architectures)


@pytest.fixture(scope="module", params=[marked(name) for name in ARCHITECTURES])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer) -> Path:
    """A folder with a random model of one architecture."""
    kind, sizes = ARCHITECTURES[request.param]
    tokens = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0, "vocab_size": len(tiny_tokenizer)}
    folder = tmp_path_factory.mktemp("architectures") / request.param
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **tokens, **sizes))
    model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def loaded(base: Path) -> LoadedModel:
    return load_model(base)


def rows() -> pl.DataFrame:
    origins = ["corpus"] * 12 + ["refusal", "lookalike", "anchor"] * 3
    return AUDITED.frame([row(i, origin) for i, origin in enumerate(origins)])


def row(i: int, origin: str) -> dict:
    answer = {"role": "assistant", "content": " ".join(WORDS[(3 * i + k) % 10] for k in range(1 + i % 4))}
    chat = [*CHATS[i % len(CHATS)], answer]
    return audited(i, origin, chat)


def run(base: Path, folder: Path, way: str, stop_after: int | None = None, **recipe: bool) -> Trained:
    optimiser = {"steps": 2, "batch_rows": 4}
    if way == "bottleneck" and base.name == "gpt2":
        with pytest.raises(TrainingError, match="does not support target modules of type.*Conv1D"):
            train_shortly(base, folder, rows(), methods=WAYS[way], optimiser=optimiser)
        pytest.skip("refused in words")
    return train_shortly(base, folder, rows(), methods=WAYS[way], optimiser=optimiser, stop_after=stop_after, **recipe)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@EVERY_WAY
def test_it_trains_and_leaves_a_model_of_its_kind(base: Path, tmp_path: Path, way: str):
    trained = run(base, tmp_path, way)
    before, after = weights(base), weights(trained.model)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert way not in ADAPTED or not any("embed" in name or "wte" in name for name in changed)
    assert inspect_weights(trained.model).num_non_finite == 0
    assert {p for p, d in identify(trained.model).parts.items() if identify(base).parts[p] != d} == {"weights"}


@pytest.mark.parametrize("way", ["frozen", "frozen and lora"])
def test_frozen_layers_keep_attention_and_mlp_to_the_bit(base: Path, tmp_path: Path, way: str):
    trained = run(base, tmp_path, way)
    before, after = weights(base), weights(trained.model)
    same = {name for name in before if torch.equal(before[name], after[name])}
    parts = {name for name in before if any(part in name for part in PARTS)}
    assert parts
    first, second = ({name for name in parts if f".{layer}." in name} for layer in (0, 1))
    assert first <= same
    assert second - same
    assert way in ADAPTED or not second & same


def test_a_mask_holds_the_same_neurons_in_every_matrix_of_the_mlp(base: Path, tmp_path: Path):
    """As many entries as a quarter of all neurons have, and those of no other matrix."""
    trained = run(base, tmp_path, "masked")
    model, other = load_model(base).model, load_model(trained.model).model
    neurons = [structure.neurons(layer) for layer in structure.layers(model)]
    moved = [structure.neurons(layer) for layer in structure.layers(other)]
    total = 0
    for one, two in zip(neurons, moved, strict=True):
        held = []
        for a, b in zip(one.slices, two.slices, strict=True):
            equal = (
                (a.weight == b.weight).transpose(0, a.axis).flatten(1) if a.weight.dim() == 2 else a.weight == b.weight
            )
            whole = equal.all(1) if equal.dim() == 2 else equal
            held.extend(whole.view(a.copies, one.width))
        columns = held[0].nonzero().flatten().tolist()
        assert all(own.nonzero().flatten().tolist() == columns for own in held)
        total += len(columns)
    assert total == sum(n.width for n in neurons) // 4


@EVERY_WAY
def test_resumed_is_uninterrupted(base: Path, tmp_path: Path, way: str):
    whole = run(base, tmp_path / "whole", way)
    with pytest.raises(TrainingError, match="interrupted after step 1 of 2"):
        run(base, tmp_path / "cut", way, stop_after=1)
    resumed = run(base, tmp_path / "cut", way)
    one, other = weights(whole.model), weights(resumed.model)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert whole.history.equals(resumed.history)


@pytest.mark.parametrize("way", ["full", "both"])
def test_checkpointed_activations_give_the_same_weights(base: Path, tmp_path: Path, way: str):
    usual, again = run(base, tmp_path / "usual", way), run(base, tmp_path / "again", way, activation_checkpointing=True)
    one, other = weights(usual.model), weights(again.model)
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)


@pytest.mark.parametrize("way", ["lora", "bottleneck"])
def test_the_merged_model_says_what_the_adapted_one_said(
    base: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
):
    """The logits before the merge, with the adapters in place, are those of the folder that is left."""
    from safety_assets.methods.bottleneck import Bottleneck
    from safety_assets.methods.lora import LoRA

    kind = LoRA if way == "lora" else Bottleneck
    said, finish = {}, kind.finish

    def look(self, context) -> None:
        context.model.eval()
        with torch.no_grad():
            said["before"] = context.model(input_ids=torch.arange(4, 40)[None]).logits
        finish(self, context)

    monkeypatch.setattr(kind, "finish", look)
    trained = run(base, tmp_path, way)
    with torch.no_grad():
        after = load_model(trained.model).model(input_ids=torch.arange(4, 40)[None]).logits
    assert torch.allclose(said["before"], after, atol=1e-4)


def test_it_is_exported_as_it_was_read(base: Path, loaded: LoadedModel, tmp_path: Path):
    export_model(loaded, tmp_path / "out")
    one, other = weights(base), weights(tmp_path / "out")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("batch_rows", "told"), [(1, ""), (4, ""), (64, ""), (4, " ".join(WORDS * 2))])
def test_answers_are_those_of_model_generate(loaded: LoadedModel, batch_rows: int, told: str):
    """Also where all prompts begin alike, and that is read once."""
    first = [{"role": "system", "content": told}] if told else []
    chats = [[*first, *chat] for chat in CHATS]
    for chat, answer in zip(chats, Generator(loaded, batch_rows).generate(chats, 10), strict=True):
        prompt = torch.tensor([encode_prompt(loaded.tokenizer, chat)])
        out = loaded.model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=10, do_sample=False
        )
        ids = [i for i in out[0, prompt.shape[1] :].tolist() if i not in loaded.stop_ids]
        assert answer.text == loaded.tokenizer.decode(ids, skip_special_tokens=True).strip()


def test_choices_are_scored_alike_in_any_batch(loaded: LoadedModel):
    choices = [["Yes.", "No, never, because it is unsafe."]] * len(CHATS)
    together, alone = (Generator(loaded, size).choice_logprobs(CHATS, choices) for size in (64, 1))
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_response_logits_are_the_models(loaded: LoadedModel):
    chats = [encode_chat(loaded.tokenizer, row(i, "corpus")["messages"]) for i in range(5)]
    batch = pad_right(chats, 0, loaded.device)
    with torch.no_grad():
        found = response_logits(loaded.model, batch)
        alone = [
            loaded.model(input_ids=torch.tensor([c.ids])).logits[0, :-1][torch.tensor(c.response[1:])] for c in chats
        ]
    assert torch.allclose(found, torch.cat(alone), atol=1e-4)


def test_what_heads_and_neurons_give_is_found(loaded: LoadedModel):
    """One output layer of attention and one of the feed-forward in every block, with and without adapters."""
    outputs = output_layers(loaded.model)
    assert outputs is not None
    assert [len(found) for found in outputs] == [2, 2]
    assert all(len({id(m) for m in found}) == 2 for found in outputs)
    prompts = [encode_prompt(loaded.tokenizer, chat) for chat in CHATS]
    entries = entries_of_outputs(loaded, prompts)
    assert entries is not None
    assert entries.heads.shape[:2] == (2 * 4, len(CHATS))
    assert entries.neurons.shape[0] == len(CHATS)
    assert torch.isfinite(entries.heads).all()
    alone = entries_of_outputs(loaded, prompts[3:4])
    assert alone is not None
    assert torch.allclose(alone.neurons[0], entries.neurons[3], atol=1e-4)  # padding leaks in nowhere
