"""Model folders tensor by tensor: read one, write a changed copy shard by shard. Never a whole model in memory."""

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from safety_assets.errors import ModelError
from safety_assets.models.checkpoint import TYPES, export_model
from safety_assets.models.identity import demand_weights, word_files
from safety_assets.models.layout import Layout, read_layout
from safety_assets.models.load import load_model
from safety_assets.models.weights import ADAPTER, INDEX, stored_shapes, stored_types, weight_files

Change = Callable[[str, Tensor], Tensor | None]
"""Canonical name and tensor (fp32) to the changed tensor; None leaves the stored bytes."""


class Stored:
    """The tensors of a complete model folder, by canonical name.

    Args:
        folder: a model folder with merged weights.

    Raises:
        ModelError: the weights are absent, damaged, stored in a type that is no float, or an adapter lies on top.
    """

    def __init__(self, folder: Path) -> None:
        demand_weights(folder)
        if (folder / ADAPTER).is_file():
            raise ModelError(
                f"{folder} is a base with an adapter", expected="merged weights in one folder",
                do="merge and save the adapter first",
            )  # fmt: skip
        self.folder, self.layout = folder, read_layout(folder)
        self.types = {self.layout.canonical(name): kind for name, kind in stored_types(folder).items()}
        self.shapes = {self.layout.canonical(name): shape for name, (shape, _) in stored_shapes(folder).items()}
        self._files = {self.layout.canonical(name): (file, name) for file in weight_files(folder) for name in _in(file)}

    @property
    def floats(self) -> frozenset[str]:
        """Names of the tensors that a repair may change, one of several that share memory."""
        names = {name for name, kind in self.types.items() if kind in TYPES}
        return frozenset(name for name in names if self.layout.tied.get(name) not in names)

    def read(self, name: str) -> Tensor:
        """One tensor in fp32.

        Raises:
            ModelError: the folder holds no tensor of this name.
        """
        place = self._files.get(name) or self._files.get(_twin(self.layout, name))
        if place is None:
            raise ModelError(
                f"{self.folder} holds no tensor {name}", expected="models of one architecture, with the same names",
                do="name the base and the ancestor that the weights come from",
            )  # fmt: skip
        with safe_open(place[0], framework="pt") as file:
            return file.get_tensor(place[1]).float()


def _in(path: Path) -> list[str]:
    try:
        with safe_open(path, framework="pt") as file:
            return list(file.keys())
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is damaged: {error}", do="write or download it again") from error


def _twin(layout: Layout, name: str) -> str:
    """The other name of a tensor that is stored once under one of two."""
    back = {source: own for own, source in layout.tied.items()}
    return layout.tied.get(name, back.get(name, name))


def demand_alike(tuned: Stored, *others: Stored) -> None:
    """ModelError unless every tensor that could be changed stands in the other folders too, in the same shape."""
    for other in others:
        for name in sorted(tuned.floats):
            twin = name if name in other.shapes else _twin(other.layout, name)
            if other.shapes.get(twin) != tuned.shapes[name]:
                raise ModelError(
                    f"{name} is {tuned.shapes[name]} in {tuned.folder} and "
                    f"{other.shapes.get(twin, 'absent')} in {other.folder}",
                    expected="models of one architecture: the same tensors in the same shapes",
                    do="name the base and the ancestor that the weights come from",
                )


def rewrite(tuned: Stored, out: Path, change: Change) -> None:
    """Write a folder like `tuned` with changed tensors, in their stored types; memory: one shard and one change.

    Configuration, tokenizer and template are its bytes. The folder appears complete or not at all. Tensors that
    share memory are changed as one.

    Raises:
        ModelError: a changed tensor is not finite or has another shape.
    """
    new = out.with_name(f".{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for path in weight_files(tuned.folder):
        with safe_open(path, framework="pt") as file:
            own = {name: _changed(tuned, name, file.get_tensor(name), change) for name in file.keys()}  # noqa: SIM118
            save_file(own, new / path.name, metadata=file.metadata() or {"format": "pt"})
    for path in [*word_files(tuned.folder), *([index] if (index := tuned.folder / INDEX).is_file() else [])]:
        copy = new / path.relative_to(tuned.folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    shutil.rmtree(out, ignore_errors=True)
    new.rename(out)


def _changed(tuned: Stored, stored: str, tensor: Tensor, change: Change) -> Tensor:
    name = tuned.layout.canonical(stored)
    name = tuned.layout.tied.get(name, name)
    if tensor.dtype not in TYPES.values():
        return tensor
    found = change(name, tensor.float())
    if found is None:
        return tensor
    if found.shape != tensor.shape or not torch.isfinite(found).all():
        raise ModelError(
            f"the repair made {name} {tuple(found.shape)} or not finite", expected="finite weights of the same shape",
            do="set a smaller strength",
        )  # fmt: skip
    return found.to(tensor.dtype).contiguous()


def merged_folder(folder: Path, work: Path) -> Path:
    """The folder itself, or a copy under `work` with its adapter merged where it has one (one model in memory)."""
    if not (folder / ADAPTER).is_file():
        return folder
    if not work.is_dir():
        export_model(load_model(folder, device="cpu"), work)
    return work
