"""What training takes: bytes that are certain from the weights' headers alone, and an estimate of the rest.

Certain are weights, gradients and the two moments of AdamW, all in fp32, and the checkpoint on disk. Activations are
an estimate until a pass was measured: 34 values of two bytes per token, layer and hidden unit (Korthikanti et al.,
arXiv 2205.05198, without attention scores, which no supported kernel keeps), doubled in fp32; checkpointed, the input
of each layer and one whole layer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from safety_assets.method_specs import Adapter, LowRankAdaptation
from safety_assets.models.weights import stored_shapes
from safety_assets.recipes import Recipe
from safety_assets.shaping_specs import LayerFreezing, WeightAverage

FP32 = 4
NF4 = 0.5 + 4 / 64
"""Bytes of a value in 4 bits, with its share of one fp32 constant for each 64."""
MOMENTS = 2
ACTIVATION_BYTES = 34
LOGIT_COPIES = 3
"""The logits, their gradient and the softmax, each in fp32."""


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """A model as its headers and configuration describe it.

    Args:
        parameters: values, tied ones once.
        matrices: name to (rows, columns) of every matrix of the layers; embeddings and output layer left out.
        layers, hidden, vocabulary: sizes.
        stored: bytes on disk.
    """

    parameters: int
    matrices: dict[str, tuple[int, int]]
    layers: int
    hidden: int
    vocabulary: int
    stored: int


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Bytes that training holds at once.

    Args:
        weights: all of the model.
        trained: gradients, moments and averages of what is trained, adapters included.
        passes: activations and logits of the heaviest pass, estimated.
    """

    weights: int
    trained: int
    passes: int

    @property
    def certain(self) -> int:
        """What no batch size makes smaller."""
        return self.weights + self.trained

    @property
    def total(self) -> int:
        return self.certain + self.passes


def shape_of(folder: Path) -> ModelShape:
    """The shape of a model folder, read from configuration and headers; no weight is loaded.

    Raises:
        ModelError: a weight file is damaged.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = config.get("text_config", config)
    stored = stored_shapes(folder)
    largest = max((shape[0] for shape, _ in stored.values() if len(shape) == 2), default=0)
    vocabulary = int(config.get("vocab_size") or largest)
    matrices = {n: (s[0], s[1]) for n, (s, _) in stored.items() if len(s) == 2 and vocabulary not in s}
    return ModelShape(
        parameters=sum(prod(shape) for shape, _ in stored.values()),
        matrices=matrices,
        layers=int(config.get("num_hidden_layers") or config.get("n_layer") or 1),
        hidden=int(config.get("hidden_size") or config.get("n_embd") or 1),
        vocabulary=vocabulary,
        stored=sum(size for _, size in stored.values()),
    )


def footprint(
    shape: ModelShape, recipe: Recipe, *, tokens: int, responses: int, half: bool, parts: int = 1
) -> Footprint:
    """What one process holds while it trains a recipe.

    Args:
        shape: of the base.
        recipe: how it is trained.
        tokens: of the heaviest pass, padding included.
        responses: of these, tokens of which the logits are computed.
        half: whether matrix products are in bf16; weights, gradients and moments stay fp32.
        parts: processes that share weights, gradients and moments (sharding: fsdp).
    """
    added, trained = adapter_parameters(shape, recipe), trained_parameters(shape, recipe)
    unit = ACTIVATION_BYTES * shape.hidden * (1 if half else 2)
    kept = shape.layers * FP32 * shape.hidden + unit if recipe.activation_checkpointing else shape.layers * unit
    return Footprint(
        weights=(_base_bytes(shape, recipe) + FP32 * added) // parts,
        trained=FP32 * (1 + MOMENTS + _averages(recipe)) * trained // parts,
        passes=tokens * kept + LOGIT_COPIES * FP32 * responses * shape.vocabulary,
    )


def adapter_parameters(shape: ModelShape, recipe: Recipe) -> int:
    """Values of a recipe's adapters, those of every adapted matrix together; 0 without an adapter."""
    spec, still = next((m for m in recipe.methods if isinstance(m, Adapter)), None), frozen_layers(shape, recipe)
    if spec is None:
        return 0
    adapted = {name: sides for name, sides in shape.matrices.items() if _layer(name) not in still}
    return sum(spec.added(*sides) for name, sides in adapted.items() if _adapted(name, spec.layers))


def trained_parameters(shape: ModelShape, recipe: Recipe) -> int:
    """Values that a recipe trains: those of its adapters, or all but the matrices of frozen layers."""
    still = frozen_layers(shape, recipe)
    held = sum(prod(sides) for name, sides in shape.matrices.items() if _layer(name) in still)
    return adapter_parameters(shape, recipe) or shape.parameters - held


def frozen_layers(shape: ModelShape, recipe: Recipe) -> frozenset[int]:
    """Layers that a recipe freezes. Those of the anatomy are not known here; as at least one layer is trained, all but
    the smallest are taken, so that what is certain is never too much."""
    spec = next((m for m in recipe.methods if isinstance(m, LayerFreezing)), None)
    if spec is None:
        return frozenset()
    if spec.layers == "anatomy":
        sizes = {i: sum(prod(s) for n, s in shape.matrices.items() if _layer(n) == i) for i in range(shape.layers)}
        return frozenset(sizes) - {min(sizes, key=sizes.__getitem__)}
    from safety_assets.methods.layer_freezing import middle_of

    return frozenset(middle_of(shape.layers, *spec.middle) if spec.layers == "middle" else spec.layers)


def disk(shape: ModelShape, recipe: Recipe) -> int:
    """Bytes on disk while a recipe trains: the model as exported and as an artefact, and the state to resume from."""
    state = FP32 * (1 + MOMENTS + _averages(recipe)) * trained_parameters(shape, recipe)
    return 2 * shape.stored + state


def byte_count(count: float) -> str:
    """Bytes for a sentence: `6.2 GB`, `14 MB`."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists: where its bytes would go."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _averages(recipe: Recipe) -> int:
    return sum(isinstance(m, WeightAverage) for m in recipe.methods)


def _base_bytes(shape: ModelShape, recipe: Recipe) -> int:
    if not any(isinstance(m, LowRankAdaptation) and m.quantise for m in recipe.methods):
        return FP32 * shape.parameters
    inside = sum(rows * columns for rows, columns in shape.matrices.values())
    return FP32 * (shape.parameters - inside) + int(NF4 * inside)


def _layer(name: str) -> int | None:
    """The layer that a matrix belongs to: the first part of its name that is a number."""
    return next((int(part) for part in name.split(".") if part.isdecimal()), None)


def _adapted(name: str, layers: Sequence[str] | str) -> bool:
    return isinstance(layers, str) or any(name.removesuffix(".weight").endswith(layer) for layer in layers)
