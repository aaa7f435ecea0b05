"""Which model a folder holds, and whether its weights are sound, read from its bytes. No torch.

The identity is one digest over everything that decides what the model says: weights, configuration, generation
configuration, tokenizer and chat template count; a README does not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from safety_assets.errors import ModelError
from safety_assets.store import digest_file, digest_json

WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
CONFIGURATION = ("config.json", "generation_config.json")
TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model",
)  # fmt: skip
TEMPLATE = ("chat_template.jinja", "chat_template.json", "additional_chat_templates/*.jinja")
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
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
class ModelIdentity:
    """What a model folder holds.

    Args:
        digest: sha256 over the sorted names and digests of the files.
        files: file name to sha256 of its bytes.
    """

    digest: str
    files: dict[str, str]


def identify(folder: Path) -> ModelIdentity:
    """The identity of the model in a folder, from its bytes and never from time stamps.

    Raises:
        ModelError: no such folder, weights that are absent or only pickled, no configuration, no tokenizer, no
            chat template.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder", expected="a model folder", do="check base_model in project.yaml")
    _demand_weights(folder)
    _demand_configuration(folder)
    _demand_template(folder)
    files = {p.relative_to(folder).as_posix(): digest_file(p) for p in identity_files(folder)}
    return ModelIdentity(digest=digest_json(sorted(files.items())), files=files)


def identity_files(folder: Path) -> list[Path]:
    """The files that belong to the identity, sorted by name."""
    patterns = (*WEIGHTS, *CONFIGURATION, *TOKENIZER, *TEMPLATE)
    return sorted({p for pattern in patterns for p in folder.glob(pattern) if p.is_file()})


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder, sorted by name."""
    return sorted(folder.glob("*.safetensors"))


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no model of its own."""
    return (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file()


def chat_template(folder: Path) -> str | None:
    """The text of a model folder's chat template; None when it has none that can be read."""
    if (folder / "chat_template.jinja").is_file():
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    for name in ("chat_template.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            return json.loads((folder / name).read_text(encoding="utf-8")).get("chat_template")
    return None


def _demand_weights(folder: Path) -> None:
    if weight_files(folder):
        return
    pickles = sorted(p.name for pattern in PICKLES for p in folder.glob(pattern))
    if pickles:
        raise ModelError(
            f"{folder} holds only pickled weights: {', '.join(pickles[:3])}",
            expected="*.safetensors; loading a pickle runs code from the file",
            do="convert the weights to safetensors",
        )
    raise ModelError(f"{folder} holds no weights", expected="*.safetensors", do="download the model completely")


def _demand_configuration(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json", expected="a transformers model folder", do="add config.json")
    if not any((folder / name).is_file() for name in VOCABULARIES):
        names = ", ".join(VOCABULARIES)
        raise ModelError(f"{folder} has no tokenizer", expected=f"one of {names}", do="add the tokenizer's files")


def _demand_template(folder: Path) -> None:
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return
    path = folder / "tokenizer_config.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", expected="JSON", do="download the file again") from error
    if not settings.get("chat_template"):
        raise ModelError(
            f"{folder} has no chat template",
            expected="chat_template.jinja, or chat_template in tokenizer_config.json",
            do="add the template the model was aligned with; a guessed one would measure another model",
        )


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


def inspect_weights(folder: Path) -> WeightsReport:
    """Counts over every tensor stored in a model folder; a damaged file is a fault in words, never an exception."""
    parameters, num_non_finite, faults, stored = 0, 0, _index_faults(folder), set()
    for path in weight_files(folder):
        try:
            for name, kind, shape, values in _tensors(path):
                stored.add(name)
                parameters += prod(shape)
                num_non_finite += _count_non_finite(kind, values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            faults.append(f"{path.name} is damaged: {error}. Download or write it again.")
    if not stored and not faults:
        faults.append(f"{folder} holds no safetensors weights.")
    return WeightsReport(parameters, num_non_finite, tuple(faults))


def stored_types(folder: Path) -> dict[str, str]:
    """Tensor name to its stored type (F32, BF16, ...).

    Raises:
        ModelError: a weight file is damaged.
    """
    try:
        return {n: e["dtype"] for p in weight_files(folder) for n, e in _header(p)[0].items() if n != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the weights in {folder} are damaged: {error}", do="write or download them again") from error


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


def _index_faults(folder: Path) -> list[str]:
    faults = []
    for path in sorted(folder.glob("*.safetensors.index.json")):
        try:
            shards = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError) as error:
            faults.append(f"{path.name} cannot be read: {error!r}.")
            continue
        missing = sorted(s for s in shards if not (folder / s).is_file())
        faults += [f"{path.name} names {shard}, which is not there. Download it." for shard in missing]
    return faults
