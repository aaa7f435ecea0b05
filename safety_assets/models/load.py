"""A model folder as a model that can answer: offline, safetensors only, no code from the folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from safety_assets.errors import ModelError
from safety_assets.models.identity import identify

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model in memory, in evaluation mode, weights in fp32.

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
        return int(getattr(self.model.config, "max_position_embeddings", None) or 1 << 30)


def load_model(
    folder: Path,
    *,
    device: str = "auto",
    precision: Precision = "fp32",
    threads: int | None = None,
    in_host_memory: bool = False,
) -> LoadedModel:
    """The model of a folder, ready to answer.

    Args:
        folder: a transformers model folder with safetensors, tokenizer and chat template.
        device: auto (CUDA when there is one), cpu, cuda or cuda:N.
        precision: fp32; bf16 (weights stay fp32, products in bf16); auto: bf16 where CUDA supports it, else fp32.
        threads: CPU threads of torch; unchanged when None.
        in_host_memory: leave the weights there, for a model that is sharded before it runs.

    Raises:
        ModelError: the folder is no complete model, or the device does not exist.
    """
    identity = identify(folder)
    if threads is not None:
        torch.set_num_threads(threads)
    place = pick_device(device)
    tokenizer, model = _read_tokenizer(folder), _read_model(folder)
    model = model.eval() if in_host_memory else model.to(place).eval()
    return LoadedModel(model, tokenizer, identity.digest, place, folder, _autocast(precision, place))


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


def _read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the tokenizer in {folder} cannot be read: {error}", do="add its files again") from error
    if tokenizer.eos_token_id is None:
        raise ModelError(f"the tokenizer in {folder} has no end token", expected="eos_token in tokenizer_config.json")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _read_model(folder: Path) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
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
