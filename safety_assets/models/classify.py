"""A sequence classifier that reads a request and its answer, and gives one label; any from transformers, by folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from safety_assets.errors import EvaluationError, ModelError
from safety_assets.store import digest_folder, digest_json


@dataclass(frozen=True)
class Label:
    """What a classifier says of one answer.

    Args:
        name: as in the model's configuration.
        confidence: its softmax probability.
    """

    name: str
    confidence: float


class Classifier:
    """A classifier of (request, answer).

    Args:
        folder: a transformers folder with safetensors; its code is not run.
        batch_rows: answers per forward pass.

    Raises:
        ModelError: the folder holds no such classifier.
    """

    def __init__(self, folder: Path, *, device: str = "cpu", batch_rows: int = 32) -> None:
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{folder} holds no sequence classifier: {str(error)[:200]}") from error
        self._model = self._model.to(device).eval()
        self._rows, self._device = batch_rows, device
        self.labels = tuple(str(name) for _, name in sorted(self._model.config.id2label.items()))
        self.digest = digest_json(digest_folder(folder))

    def classify(self, pairs: Sequence[tuple[str, str]]) -> list[Label | EvaluationError]:
        """The likeliest label of each (request, answer) in order; an error for one that is too long."""
        fitting = {n: pair for n, pair in enumerate(pairs) if self._length(pair) <= self._limit}
        found: list[Label | EvaluationError] = [self._too_long(pair) for pair in pairs]
        places = sorted(fitting, key=lambda n: self._length(fitting[n]))
        for start in range(0, len(places), self._rows):
            some = places[start : start + self._rows]
            for place, label in zip(some, self._labels([fitting[n] for n in some]), strict=True):
                found[place] = label
        return found

    @property
    def _limit(self) -> int:
        own = getattr(self._model.config, "max_position_embeddings", None) or self._tokenizer.model_max_length
        return int(min(own, self._tokenizer.model_max_length))

    def _length(self, pair: tuple[str, str]) -> int:
        return len(self._tokenizer(*pair)["input_ids"])

    def _too_long(self, pair: tuple[str, str]) -> EvaluationError:
        return EvaluationError(f"request and answer have {self._length(pair)} tokens, the judge reads {self._limit}")

    @torch.inference_mode()
    def _labels(self, pairs: list[tuple[str, str]]) -> list[Label]:
        asked, answered = [p[0] for p in pairs], [p[1] for p in pairs]
        encoded = self._tokenizer(asked, answered, padding=True, return_tensors="pt").to(self._device)
        shares = self._model(**encoded).logits.float().softmax(-1)  # (pairs, labels)
        best = shares.max(-1)
        return [Label(self.labels[i], v) for v, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]
