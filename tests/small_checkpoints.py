"""Checkpoints of the tiny model as they come from elsewhere: other weights, adapters, broken folders."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import small_project


def with_other_weights(model: Path, folder: Path, seed: int = 1) -> Path:
    """The same architecture, tokenizer and template with weights of another seed."""
    import torch
    from transformers import AutoConfig, LlamaForCausalLM

    shutil.copytree(model, folder)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        LlamaForCausalLM(AutoConfig.from_pretrained(model)).save_pretrained(folder)
    return folder


def sharper(model: Path, folder: Path, factor: float = 1.05) -> Path:
    """The same greedy answers, each likelier: the last norm, and so every logit, times a factor."""
    from transformers import LlamaForCausalLM

    shutil.copytree(model, folder)
    changed = LlamaForCausalLM.from_pretrained(model)
    changed.model.norm.weight.data *= factor
    changed.save_pretrained(folder)
    return folder


def adapter(model: Path, folder: Path, seed: int = 1) -> Path:
    """A low-rank adapter that changes what the model says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaForCausalLM

    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft calls what transformers will drop
        torch.manual_seed(seed)
        config = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
        get_peft_model(LlamaForCausalLM.from_pretrained(model), config).save_pretrained(folder)
    return folder


def classifier(folder: Path, tokenizer: Any, longest: int = 64) -> Path:
    """A random classifier of the labels safe and unsafe."""
    import torch
    from transformers import LlamaConfig, LlamaForSequenceClassification

    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=longest, pad_token_id=0,
        id2label={0: "safe", 1: "unsafe"}, label2id={"safe": 0, "unsafe": 1}, initializer_range=0.5,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def pickled(model: Path, folder: Path) -> Path:
    """A folder whose only weights are a pickle; it is never opened, so its bytes do not matter."""
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    return folder


def not_a_number(model: Path, folder: Path) -> Path:
    """A folder of which one weight is NaN."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(model, folder)
    tensors = load_file(folder / "model.safetensors")
    name = sorted(tensors)[0]
    tensors[name].flat[0] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def policy_file(path: Path, *, probes: dict | None = None, task: dict | None = None, **rule: object) -> Path:
    """The lenient policy with some of it made stricter for every dimension."""
    settings = small_project.policy_settings()
    settings["probes"] |= probes or {}
    settings["task"] |= task or {}
    for dimension in settings["dimensions"].values():
        dimension |= rule
    path.write_text(json.dumps(settings))
    return path
