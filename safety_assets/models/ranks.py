"""One of several processes that train one model together: its place, and the few things they tell each other.

Every rank takes the same steps, each with its own rows. Alone, nothing here does anything.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor

from safety_assets.models.chat import Encoded
from safety_assets.models.load import pick_device

PATIENCE = timedelta(hours=12)
"""How long a rank waits for the others: scoring takes its time, and the launcher ends all when one dies."""

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """This process among those that train one model.

    Args:
        rank: 0 is the main one: it writes, reports and scores.
        size: how many there are.
        sharded: whether each holds a part of the weights (FSDP2), not all of them.
    """

    rank: int = 0
    size: int = 1
    sharded: bool = False

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def own(self, rows: Sequence[Encoded]) -> list[Encoded]:
        """This rank's rows of a batch: every `size`-th.

        All ranks must go forward and back equally often, so where none is left it is a row that says nothing.
        """
        return list(rows[self.rank :: self.size]) or [Encoded(rows[0].ids, [False] * len(rows[0].ids))]

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the ranks. Sharded ones are left: FSDP added them up in backward."""
        if self.size > 1:
            plain = [t for t in tensors if not isinstance(t, DTensor)]
            for work in [dist.all_reduce(t, async_op=True) for t in plain]:
                work.wait()

    def total(self, count: int) -> int:
        """The sum of a count over the ranks."""
        counts = torch.tensor([count])
        self.add_up([counts])
        return int(counts)

    def any(self, flag: bool) -> bool:
        """Whether it is true on one rank at least; the same answer on all."""
        if self.size == 1:
            return flag
        flags = torch.tensor([int(flag)])
        dist.all_reduce(flags, op=dist.ReduceOp.MAX)
        return bool(flags)

    def from_main(self, compute: Callable[[], T]) -> T:
        """What the main rank computes, on all ranks; the others wait."""
        if self.size == 1:
            return compute()
        box = [compute() if self.is_main else None]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]  # type: ignore[return-value]

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """A tensor in host memory, of one shape everywhere, from every rank in order."""
        if self.size == 1:
            return [tensor]
        found = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(found, tensor)
        return found

    def wait(self) -> None:
        """Until all ranks are here."""
        self.any(False)


ALONE = Ranks()


@contextmanager
def join(device: str, *, sharded: bool) -> Iterator[tuple[Ranks, str]]:
    """Take the place that torchrun gave this process: its rank and its device.

    Args:
        device: auto, cpu or cuda; with CUDA every rank of a machine has a device of its own.
        sharded: see Ranks.

    Raises:
        ModelError: there are fewer devices than processes.
    """
    place = pick_device(device)
    if place.type == "cuda":
        place = pick_device(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(place)
    dist.init_process_group("cpu:gloo,cuda:nccl" if place.type == "cuda" else "gloo", timeout=PATIENCE)
    yield Ranks(dist.get_rank(), dist.get_world_size(), sharded), str(place)
    dist.destroy_process_group()  # not after an error: it may wait for a rank that has gone
