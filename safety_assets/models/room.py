"""How much memory a device has left, and how much this process has taken of it at most."""

import resource
import sys
from pathlib import Path

import psutil
import torch

CGROUP = Path("/sys/fs/cgroup")
"""Where a container's own limit stands (cgroup v2)."""


def free_memory(device: torch.device) -> int:
    """Bytes that can still be taken on a device: what CUDA reports, or what machine and container leave to a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) + _cached(device)
    return min(int(psutil.virtual_memory().available), _left_in_container())


def peak_memory(device: torch.device) -> int:
    """Bytes that this process has held at most on a device: tensors on CUDA, everything on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _cached(device: torch.device) -> int:
    """What torch keeps for itself and gives to the next tensor."""
    return int(torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def _left_in_container() -> int:
    """What the container's limit leaves; without one, more than there is."""
    try:
        limit, used = (CGROUP / "memory.max").read_text().strip(), (CGROUP / "memory.current").read_text()
        return int(limit) - int(used)
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return 1 << 62
