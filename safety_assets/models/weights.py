"""The weight files of a model folder, read from their headers and bytes. No torch."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from safety_assets.errors import ModelError

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter/adapter_model.safetensors"
"""Where the low-rank adapter of a composed folder is."""
PIECE = 1 << 24
"""Values that are looked at in one go."""

EXPONENTS: dict[str, tuple[type[np.unsignedinteger], int]] = {
    "F64": (np.uint64, 0x7FF0000000000000),
    "F32": (np.uint32, 0x7F800000),
    "F16": (np.uint16, 0x7C00),
    "BF16": (np.uint16, 0x7F80),
    "F8_E5M2": (np.uint8, 0x7C),
    "F8_E4M3": (np.uint8, 0x7F),
}
"""Type to (unsigned integer of its width, bits that are all set in a NaN or an infinity)."""


@dataclass(frozen=True)
class WeightsReport:
    """What was found in the weight files of one model.

    Args:
        parameters: stored values; tied weights count once.
        num_non_finite: values that are NaN or infinite.
        faults: sentences about files that cannot be used; empty when all are sound.
    """

    parameters: int
    num_non_finite: int
    faults: tuple[str, ...]


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that the model of a folder is read from, sorted by name; absent ones too.

    An index names its shards; without one it is `model.safetensors`. The adapter of a composed folder comes on top.
    """
    shards = sorted(set(_shards(folder / INDEX).values())) if (folder / INDEX).is_file() else [WHOLE]
    return [folder / name for name in (*shards, *([ADAPTER] if (folder / ADAPTER).is_file() else []))]


def inspect_weights(folder: Path) -> WeightsReport:
    """Counts over every tensor stored in a model folder; a damaged file is a fault in words, never an exception."""
    faults = index_faults(folder)
    if faults:
        return WeightsReport(0, 0, tuple(faults))
    parameters, num_non_finite = 0, 0
    for path in weight_files(folder):
        try:
            for _, kind, shape, values in _tensors(path):
                parameters += prod(shape)
                num_non_finite += _count_non_finite(kind, values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            faults.append(f"{path.name} is damaged: {error}. Download or write it again.")
    if not parameters and not faults:
        faults.append(f"{folder} holds no safetensors weights.")
    return WeightsReport(parameters, num_non_finite, tuple(faults))


def stored_types(folder: Path) -> dict[str, str]:
    """Tensor name to its stored type (F32, BF16, ...).

    Raises:
        ModelError: a weight file is damaged.
    """
    return {name: entry["dtype"] for name, entry in _all_entries(folder).items()}


def stored_shapes(folder: Path) -> dict[str, tuple[tuple[int, ...], int]]:
    """Tensor name to its shape and its bytes on disk.

    Raises:
        ModelError: a weight file is damaged.
    """

    def sized(entry: Mapping[str, Any]) -> tuple[tuple[int, ...], int]:
        first, last = entry["data_offsets"]
        return tuple(entry["shape"]), last - first

    return {name: sized(entry) for name, entry in _all_entries(folder).items()}


def _all_entries(folder: Path) -> dict[str, dict]:
    try:
        return {name: entry for path in weight_files(folder) for name, entry in _entries(path).items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the weights in {folder} are damaged: {error}", do="write or download them again") from error


def index_faults(folder: Path) -> list[str]:
    """Why a folder is not what its index of shards says, in sentences; empty without an index."""
    path = folder / INDEX
    if not path.is_file():
        return []
    try:
        places = _shards(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"{path.name} cannot be read: {error!r}. Download it again."]
    shards = sorted(set(places.values()))
    faults = [f"{INDEX} names {s!r}, which is no file beside it. Download it." for s in shards if not _beside(path, s)]
    if not faults and (folder / WHOLE).is_file() and WHOLE not in shards:
        faults = [f"{folder} holds {WHOLE} and an index of other shards. Remove the one that is not the model."]
    return faults or [fault for shard in shards for fault in _shard_faults(folder / shard, places)]


def _shards(index: Path) -> dict[str, str]:
    """Tensor name to shard, as an index says."""
    places: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    return dict(places.items())


def _beside(index: Path, shard: str) -> bool:
    return Path(shard).name == shard and (index.parent / shard).is_file()


def _shard_faults(path: Path, places: Mapping[str, str]) -> list[str]:
    named = {tensor for tensor, shard in places.items() if shard == path.name}
    try:
        stored = set(_entries(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{path.name} is damaged: {error}. Download or write it again."]
    faults = []
    if named - stored:
        faults.append(f"{path.name} lacks {_some(named - stored)}, which {INDEX} names. Download both again.")
    if stored - named:
        faults.append(f"{path.name} holds {_some(stored - named)}, which {INDEX} does not name. Download both again.")
    return faults


def _some(names: set[str]) -> str:
    first = sorted(names)[0]
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more tensors"


def _entries(path: Path) -> dict[str, dict]:
    """Tensor name to its entry in the header of a safetensors file."""
    return {name: entry for name, entry in _header(path)[0].items() if name != "__metadata__"}


def _header(path: Path) -> tuple[dict, int]:
    """The JSON header of a safetensors file and the offset of its first value, in bytes."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 8 or length > size - 8:
            raise ValueError(f"it ends inside its header ({size} bytes)")
        return json.loads(handle.read(length)), 8 + length


def _tensors(path: Path) -> Iterator[tuple[str, str, list[int], np.ndarray]]:
    """Yields (name, type, shape, bytes) of every tensor in a file; the bytes are mapped, not read."""
    header, start = _header(path)
    data = np.memmap(path, dtype=np.uint8, mode="r")
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        if start + last > data.size:
            raise ValueError(f"it ends at byte {data.size}, inside tensor {name}, which needs {start + last}")
        yield name, entry["dtype"], entry["shape"], data[start + first : start + last]


def _count_non_finite(kind: str, values: np.ndarray) -> int:
    if kind not in EXPONENTS:
        return 0  # integers and booleans are always finite
    integer, mask = EXPONENTS[kind]
    pieces = np.frombuffer(values, dtype=integer) if values.size else np.empty(0, integer)
    bits = integer(mask)
    return sum(int(np.count_nonzero((pieces[i : i + PIECE] & bits) == bits)) for i in range(0, pieces.size, PIECE))
