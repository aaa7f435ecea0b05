"""A model folder as a model that can answer: offline, safetensors only, no code from the folder."""

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from torch import nn
from transformers import (
    CONFIG_MAPPING,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from safety_assets.errors import ModelError
from safety_assets.models.adapter import merge_adapter
from safety_assets.models.identity import identify
from safety_assets.models.weights import ADAPTER

Precision = Literal["auto", "fp32", "bf16"]
Quantise = Literal["4bit", "8bit"]


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model in memory, in evaluation mode, weights in fp32 unless they were quantised.

    Args:
        model: the transformers model.
        tokenizer: its tokenizer; it has a pad token.
        digest: identity of the folder it was read from.
        device: where the weights are.
        folder: where it was read from.
        autocast: type that matrix products are computed in; None for fp32.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    digest: str
    device: torch.device
    folder: Path
    autocast: torch.dtype | None = None

    @contextmanager
    def precision(self) -> Iterator[None]:
        """Forward passes inside run in this model's precision."""
        with torch.autocast(self.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            yield

    @property
    def stop_ids(self) -> tuple[int, ...]:
        """Token ids that end an answer, sorted."""
        configured = self.model.generation_config.eos_token_id if self.model.generation_config else None
        listed = configured if isinstance(configured, list) else [configured]
        return tuple(sorted({int(i) for i in (*listed, self.tokenizer.eos_token_id) if i is not None}))

    @property
    def max_tokens(self) -> int:
        """Tokens a chat may have in this model."""
        return int(getattr(self.model.config.get_text_config(), "max_position_embeddings", None) or 1 << 30)


def load_model(
    folder: Path,
    *,
    device: str = "auto",
    precision: Precision = "fp32",
    threads: int | None = None,
    in_host_memory: bool = False,
    quantise: Quantise | None = None,
) -> LoadedModel:
    """The model of a folder, ready to answer; its adapter, when it has one, is merged.

    Args:
        folder: a transformers model folder with safetensors, tokenizer and chat template.
        device: auto (CUDA when there is one), cpu, cuda or cuda:N.
        precision: fp32; bf16 (weights stay fp32, products in bf16); auto: bf16 where CUDA supports it, else fp32.
        threads: CPU threads of torch; unchanged when None.
        in_host_memory: leave the weights there, for a model that is sharded before it runs.
        quantise: hold the linear layers in so many bits (bitsandbytes, CUDA); such a model answers, of its weights only
            adapters beside them are trained.

    Raises:
        ModelError: the folder is no complete model, its architecture is not known, the device does not exist, or
            the model cannot be quantised here.
    """
    identity = identify(folder)
    if threads is not None:
        torch.set_num_threads(threads)
    place = pick_device(device)
    _demand_known(folder)
    tokenizer = read_tokenizer(folder)
    model = _read_quantised(folder, place, quantise) if quantise else _read_whole(folder)
    _demand_room(folder, tokenizer, model)
    if not (quantise or in_host_memory):
        model = model.to(place)
    return LoadedModel(model.eval(), tokenizer, identity.digest, place, folder, _autocast(precision, place))


def in_full_precision(model: PreTrainedModel, whole: PreTrainedModel) -> None:
    """Give a quantised model, in place, the modules of one of the same architecture that is not."""
    for name, module in list(whole.named_children()):
        setattr(model, name, module)
    for name in ("hf_quantizer", "is_quantized", "quantization_method", "is_loaded_in_4bit", "is_loaded_in_8bit"):
        vars(model).pop(name, None)
    model.config = whole.config


@contextmanager
def forked_random_state(model: nn.Module) -> Iterator[None]:
    """Torch's random state, of the CPU and of the model's device, is afterwards as before."""
    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def pick_device(device: str) -> torch.device:
    """The torch device of a name; ModelError when this machine does not have it."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise ModelError(f"device {device!r} is unknown", expected="auto, cpu, cuda or cuda:N") from error
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ModelError(f"device {device} is not on this machine", expected="auto, cpu", do="set device: auto")
    return place


def _autocast(precision: Precision, device: torch.device) -> torch.dtype | None:
    if precision == "bf16":
        return torch.bfloat16
    supported = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if precision == "auto" and supported else None


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, with an end token and a pad token.

    Raises:
        ModelError: its files cannot be read, or it has no end token.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the tokenizer in {folder} cannot be read: {error}", do="add its files again") from error
    if tokenizer.eos_token_id is None:
        raise ModelError(f"the tokenizer in {folder} has no end token", expected="eos_token in tokenizer_config.json")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _demand_known(folder: Path) -> None:
    """Refuse what only code from the folder could read, and weights that are quantised already."""
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}", do="download it again") from error
    kind = settings.get("model_type")
    if kind not in CONFIG_MAPPING:
        raise ModelError(
            f"{folder} is of type {kind!r}" + (", with code of its own" if settings.get("auto_map") else ""),
            expected=f"a type that transformers {transformers.__version__} knows; code from a folder is never run",
            do="convert it to a known architecture, or install a transformers that knows it",
        )
    if settings.get("quantization_config"):
        raise ModelError(
            f"the weights in {folder} are stored quantised ({settings['quantization_config'].get('quant_method')})",
            expected="full-precision weights: training changes them",
            do="name the model that it was made from, and set quantise in project.yaml",
        )


def _demand_room(folder: Path, tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    rows = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > rows:
        raise ModelError(
            f"the tokenizer in {folder} has {len(tokenizer)} tokens, the model's embedding {rows} rows",
            expected="a row for every token",
            do="use the tokenizer that the model was trained with",
        )


def _read_whole(folder: Path) -> PreTrainedModel:
    model = _read_model(folder, dtype=torch.float32)
    return merge_adapter(model, folder) if (folder / ADAPTER).is_file() else model


def _demand_quantisable(folder: Path, place: torch.device, quantise: Quantise) -> None:
    if place.type != "cuda":
        raise ModelError(
            f"quantise: {quantise} on {place}", expected="a CUDA device",
            do="run on a machine with one, or take quantise out of project.yaml or the recipe",
        )  # fmt: skip
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            f"quantise: {quantise} without bitsandbytes", expected="the package bitsandbytes",
            do="pip install 'safety_assets[quantise]'",
        )  # fmt: skip
    if (folder / ADAPTER).is_file():
        raise ModelError(
            f"quantise: {quantise} on a base with an adapter", expected="merged weights in one folder",
            do="merge and save the adapter first: it is merged in full precision",
        )  # fmt: skip


def _read_quantised(folder: Path, place: torch.device, quantise: Quantise) -> PreTrainedModel:
    _demand_quantisable(folder, place, quantise)
    bits = BitsAndBytesConfig(
        load_in_4bit=quantise == "4bit", load_in_8bit=quantise == "8bit", bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    return _read_model(folder, dtype=torch.bfloat16, quantization_config=bits, device_map={"": place})


def _read_model(folder: Path, **how: Any) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, trust_remote_code=False, output_loading_info=True,
            **how,
        )  # fmt: skip
    except Exception as error:  # safetensors and transformers raise many kinds; each is a folder that cannot be used
        raise ModelError(f"the model in {folder} cannot be read: {error}", do="write or download it again") from error
    if info["missing_keys"]:
        missing = sorted(map(str, info["missing_keys"]))
        raise ModelError(
            f"the weights in {folder} lack {len(missing)} tensors: {', '.join(missing[:3])}",
            expected="every tensor that config.json asks for; the rest would be random",
            do="write or download the weights again",
        )
    return model
