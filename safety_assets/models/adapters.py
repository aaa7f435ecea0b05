"""An adapter folder as a complete model: merged into its base, so that what is scored is what would be served."""

import dataclasses
import warnings
from pathlib import Path

from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open

from safety_assets.errors import ModelError
from safety_assets.models.checkpoint import export_model
from safety_assets.models.identity import ADAPTER_WEIGHTS
from safety_assets.models.load import load_model


def merge_adapter(adapter: Path, base: Path, out: Path) -> None:
    """Write the base with an adapter merged into its weights as a model folder.

    Configuration, tokenizer and template are the base's.

    Raises:
        ModelError: the adapter has no safetensors weights, or does not fit the base.
    """
    weights = adapter / ADAPTER_WEIGHTS
    if not weights.is_file():
        raise ModelError(
            f"the adapter in {adapter} has no {ADAPTER_WEIGHTS}",
            expected="safetensors; loading a pickle runs code from the file",
            do="save the adapter again as safetensors",
        )
    loaded = load_model(base, device="cpu")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tensors left aside, which are an error below, and of peft's own calls
            wrapped = PeftModel.from_pretrained(loaded.model, str(adapter), torch_device="cpu")
        _all_of_it_is_used(weights, wrapped)
        merged = wrapped.merge_and_unload(safe_merge=True)
    except Exception as error:  # peft raises many kinds; each is an adapter that cannot be used with this base
        raise ModelError(
            f"the adapter in {adapter} does not fit {base}: {error}",
            expected="an adapter that was trained on this base",
            do="name the base it was trained on",
        ) from error
    export_model(dataclasses.replace(loaded, model=merged), out)


def _all_of_it_is_used(weights: Path, wrapped: PeftModel) -> None:
    """ValueError when tensors were left aside: peft only warns, and the merged model would be the bare base."""
    with safe_open(weights, framework="pt") as file:
        stored = set(file.keys())
    used = set(get_peft_model_state_dict(wrapped, save_embedding_layers=False))
    if stored != used:
        odd = sorted(stored ^ used)
        raise ValueError(f"{len(odd)} tensors of the adapter and the base do not match, first {odd[0]}")
