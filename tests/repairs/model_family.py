"""Three models of one architecture: an ancestor, the base that alignment made of it, and what tuning made of that."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor


@dataclass(frozen=True)
class Family:
    pretrained: Path
    base: Path
    tuned: Path


def weights(folder: Path) -> dict[str, Tensor]:
    return {name: tensor for file in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def moved(folder: Path, out: Path, seed: int, size: float = 0.05, rank: int = 3) -> Path:
    """A copy whose matrices moved by a little of low rank, and all by less of full rank."""
    generator = torch.Generator().manual_seed(seed)
    shutil.copytree(folder, out)
    for file in out.glob("*.safetensors"):
        tensors = load_file(file)
        for name, tensor in tensors.items():
            shift = 0.1 * torch.randn(tensor.shape, generator=generator)
            if tensor.dim() == 2:
                m, n = tensor.shape
                shift += torch.randn(m, rank, generator=generator) @ torch.randn(rank, n, generator=generator)
            tensors[name] = (tensor.float() + size * shift).to(tensor.dtype)
        save_file(tensors, file, metadata={"format": "pt"})
    return out


def family_of(model: Path, folder: Path) -> Family:
    base = moved(model, folder / "base", 1)
    return Family(model, base, moved(base, folder / "tuned", 2))
