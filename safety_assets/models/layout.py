"""What the tensors of a model folder are, asked of its modules and not of names or shapes; no weight is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from safety_assets.errors import ModelError


@dataclass(frozen=True)
class Layout:
    """The roles of a model's tensors. Names are those of its state, without the prefix of the inner model.

    Args:
        prefix: what names of the inner model begin with in a complete state; files may leave it out.
        linear: weights of linear layers, the output layer left out.
        transposed: those of them that are stored (in, out), as GPT-2 does.
        tied: a name to the one whose memory it shares.
    """

    prefix: str
    linear: frozenset[str]
    transposed: frozenset[str]
    tied: Mapping[str, str]

    def canonical(self, name: str) -> str:
        """The name of a stored tensor, however its file spells it."""
        return name.removeprefix(self.prefix)


def read_layout(folder: Path) -> Layout:
    """The layout of the model that a folder's configuration describes, built without memory.

    Raises:
        ModelError: the configuration describes no causal language model that transformers knows.
    """
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ModelError(f"{folder / 'config.json'} describes no known model: {error}", do="correct it") from error
    output = model.get_output_embeddings()
    prefix = f"{model.base_model_prefix}."
    found = {
        f"{name}.weight".removeprefix(prefix): module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not output
    }
    tied = {own.removeprefix(prefix): other.removeprefix(prefix) for own, other in model.all_tied_weights_keys.items()}
    transposed = frozenset(name for name, module in found.items() if isinstance(module, Conv1D))
    return Layout(prefix, frozenset(found), transposed, tied)
