"""A low-rank adapter as PEFT writes it: which ones are taken, and how they are merged."""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from safety_assets.errors import ModelError
from safety_assets.models.identity import ADAPTER_CONFIG
from safety_assets.models.weights import ADAPTER

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WEIGHTS = "adapter_model.safetensors"
MERGED = frozenset({
    "r", "lora_alpha", "target_modules", "exclude_modules", "fan_in_fan_out", "bias", "use_rslora", "use_dora",
    "lora_bias", "modules_to_save", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern",
})  # fmt: skip
"""Keys of adapter_config.json that a merge reads."""
TRAINING = frozenset({
    "peft_type", "task_type", "peft_version", "base_model_name_or_path", "revision", "inference_mode", "auto_mapping",
    "lora_dropout", "init_lora_weights", "megatron_core", "qalora_group_size", "runtime_config", "eva_config",
    "ensure_weight_tying",
})  # fmt: skip
"""Keys that say where the adapter came from or how it was trained; a merge needs none. All others must be unset."""
BESIDE = {
    "init_lora_weights": (None, True, False, "gaussian", "orthogonal", "eva"),
    "bias": (None, "none"),
}
"""Keys of which only these values leave the base as it was."""


def read_adapter(folder: Path) -> dict:
    """The configuration of an adapter folder that can be merged.

    Raises:
        ModelError: no adapter, pickled weights, not LoRA, or a setting that is unknown, unsafe or cannot be merged.
    """
    settings = _settings(folder / ADAPTER_CONFIG)
    if not (folder / WEIGHTS).is_file():
        pickled = (folder / "adapter_model.bin").is_file()
        raise ModelError(
            f"{folder} holds {'pickled adapter weights' if pickled else 'no adapter weights'}",
            expected=f"{WEIGHTS}; loading a pickle runs code from the file",
            do="save the adapter again with safe_serialization=True",
        )
    if settings.get("peft_type") != "LORA":
        raise ModelError(f"{folder} is an adapter of type {settings.get('peft_type')}", expected="LORA",
                         do="merge it with its own tools and name the merged model")  # fmt: skip
    other = sorted(key for key, value in settings.items() if value and key not in MERGED | TRAINING)
    if other:
        raise ModelError(
            f"{folder / ADAPTER_CONFIG} sets {', '.join(other)}",
            expected=f"settings that a merge of weights knows: {', '.join(sorted(MERGED))}",
            do="train the adapter without it, or merge it with its own tools and name the merged model",
        )
    for key, values in BESIDE.items():
        if settings.get(key) not in values:
            raise ModelError(
                f"{folder / ADAPTER_CONFIG} sets {key} to {settings[key]!r}, which changes the base",
                expected=f"one of {', '.join(map(str, values))}",
                do="merge it with its own tools and name the merged model",
            )
    return settings


def merge_adapter(model: "PreTrainedModel", folder: Path) -> "PreTrainedModel":
    """The model with the adapter of a composed folder added to its weights; the model itself is changed.

    Raises:
        ModelError: the adapter's tensors are not those of this model, or it changes one of two tied weights.
    """
    from peft import LoraConfig, PeftModel, load_peft_weights, set_peft_model_state_dict

    home = (folder / ADAPTER).parent
    settings = read_adapter(home)
    config = LoraConfig(**{key: settings[key] for key in MERGED & settings.keys()}, inference_mode=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what PEFT warns of is refused below; the rest is its own deprecations
            wrapped = PeftModel(model, config)
        weights = load_peft_weights(str(home), device="cpu")
        outcome = set_peft_model_state_dict(wrapped, weights)
    except Exception as error:  # peft and torch raise many kinds; each is an adapter of another model
        raise ModelError(f"the adapter in {folder} does not fit its base: {error}", do="name its base") from error
    absent = [key for key in outcome.missing_keys if "lora_" in key or "modules_to_save" in key]
    for keys, what in ((absent, "lacks"), (outcome.unexpected_keys, "holds unknown")):
        if keys:
            raise ModelError(f"the adapter in {folder} {what} {keys[0]} ({len(keys)} tensors)", do="name its base")
    refuse_tied(model)
    merged: PreTrainedModel = wrapped.merge_and_unload()
    return merged.requires_grad_(True)  # PEFT froze the base


def refuse_tied(model: "PreTrainedModel") -> None:
    """ModelError when a wrapped layer shares its weight with another: a merge would change both or part them."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils import ModulesToSaveWrapper

    output, table = model.get_output_embeddings(), model.get_input_embeddings()
    wrapped = [m for m in (output, table) if isinstance(m, BaseTunerLayer | ModulesToSaveWrapper)]
    if wrapped and model.config.get_text_config().tie_word_embeddings:
        raise ModelError(
            "the adapter changes the embedding or the output layer, and this model uses one weight for both",
            expected="an adapter of other layers",
            do="leave lm_head and the embedding out of the adapted layers",
        )


def _settings(path: Path) -> dict:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", expected="an adapter saved by PEFT") from error
    if not isinstance(settings, dict):
        raise ModelError(f"{path} holds no object", expected="an adapter saved by PEFT")
    return settings
