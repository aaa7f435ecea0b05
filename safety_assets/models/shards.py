"""FSDP2: weights, gradients and optimiser state cut over the ranks, for training that one device cannot hold."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import PreTrainedModel


def shard(model: PreTrainedModel, device: torch.device) -> None:
    """Cut the weights over all ranks, in place, layer by layer; each rank's part moves to its device.

    Gradients are summed over the ranks: the loss is already divided by the tokens of all of them.
    """
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    layers = set(model._no_split_modules or ())
    for module in [m for m in model.modules() if type(m).__name__ in layers]:
        fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)
    for part in _parts(model):
        part.set_force_sum_reduction_for_comms(True)  # gloo knows no average
        part.set_gradient_divide_factor(1.0)


@contextmanager
def whole(model: PreTrainedModel) -> Iterator[None]:
    """Inside, every rank holds all weights, so that one alone may run the model. All ranks enter and leave together."""
    parts = _parts(model)
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.reshard()
            part.set_reshard_after_forward(part is not model, recurse=False)


def full(tensor: Tensor) -> Tensor:
    """All of a tensor; where it is sharded, every rank must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def local(tensor: Tensor) -> Tensor:
    """What this rank holds of a tensor: a part where it is sharded, else all of it."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def cut_like(tensor: Tensor, other: Tensor) -> Tensor:
    """A whole tensor, equal on all ranks, on the device of another and sharded where that one is."""
    moved = tensor.to(other.device, copy=True)
    if not isinstance(other, DTensor) or tensor.shape != other.shape:
        return moved
    return distribute_tensor(moved, other.device_mesh, other.placements, src_data_rank=None)


def add_over_shards(value: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """The sum over the ranks of what each computed from its parts of `tensors`; the value where these are whole."""
    mesh = next((t.device_mesh for t in tensors if isinstance(t, DTensor)), None)
    if mesh is not None:
        dist.all_reduce(value, group=mesh.get_group())
    return value


def _parts(model: PreTrainedModel) -> list[FSDPModule]:
    return [m for m in model.modules() if isinstance(m, FSDPModule)]
