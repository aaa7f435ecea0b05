"""Texts as vectors of an encoder: the mean of its last states over a text's tokens, of length one.

Any encoder that transformers loads from a folder of safetensors; the mean over tokens is how sentence encoders of the
MiniLM, MPNet, BGE and E5 kind are meant to be read, up to prefixes, which are not added here.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from safety_assets.errors import ModelError
from safety_assets.models.load import pick_device

BATCH_ROWS = 64
LONGEST = 512
"""Tokens of a text that are read, where the encoder takes as many."""


class Encoder:
    """An encoder in memory.

    Args:
        folder: weights as safetensors, configuration and tokenizer; no code from it is run.
        device: auto, cpu, cuda or cuda:N.

    Raises:
        ModelError: the folder holds no encoder that can be loaded.
    """

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        self._device = pick_device(device)
        self._tokenizer, self._model = _loaded(folder)
        self._model.to(self._device).eval()
        limit = int(getattr(self._model.config, "max_position_embeddings", 0) or LONGEST)
        self._longest = min(LONGEST, limit)

    @torch.no_grad()
    def vectors(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors, fp32, on the CPU.  # (texts, width)"""
        parts = [self._batch(texts[i : i + BATCH_ROWS]) for i in range(0, len(texts), BATCH_ROWS)]
        return torch.cat(parts) if parts else torch.zeros(0, 1)

    def _batch(self, texts: Sequence[str]) -> Tensor:
        given = self._tokenizer(
            [text or " " for text in texts], padding=True, truncation=True, max_length=self._longest,
            return_tensors="pt",
        ).to(self._device)  # fmt: skip
        states = self._model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).last_hidden_state
        counted = given["attention_mask"].unsqueeze(-1).to(states.dtype)
        mean = (states * counted).sum(1) / counted.sum(1).clamp(min=1)
        return torch.nn.functional.normalize(mean.float(), dim=-1).cpu()


def _loaded(folder: Path) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{folder} holds no encoder: {str(error).splitlines()[0]}", expected="a folder that transformers loads, "
            "weights as safetensors", do="correct corpus.closeness.embedding_model in policy.yaml",
        ) from error  # fmt: skip
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer, model
