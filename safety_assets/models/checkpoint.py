"""Writing a model as a folder that can be served, and unfinished training as one file that can be resumed.

Safetensors and JSON only: nothing that runs code when read.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from safety_assets.errors import ModelError
from safety_assets.models.identity import word_files
from safety_assets.models.load import LoadedModel
from safety_assets.models.shards import cut_like
from safety_assets.models.weights import stored_types

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def export_model(loaded: LoadedModel, out: Path) -> None:
    """Write the weights in memory as a model folder of the kind they came from.

    Tensors get the types of the folder they were read from; configuration, tokenizer and template are its bytes, so
    only the weights tell the two models apart. The folder appears complete or not at all; an old one is replaced.
    """
    parts = out.with_name(f".{out.name}.new")
    shutil.rmtree(parts, ignore_errors=True)
    weights = _in_stored_types(loaded.model, stored_types(loaded.folder))
    loaded.model.save_pretrained(parts, state_dict=weights)
    for path in word_files(loaded.folder):
        copy = parts / path.relative_to(loaded.folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    shutil.rmtree(out, ignore_errors=True)
    parts.rename(out)


def _in_stored_types(model: nn.Module, stored: Mapping[str, str]) -> dict[str, Tensor]:
    """The state of a model in the stored types; tensors that share memory still do."""
    usual = max(sorted(set(stored.values())), key=list(stored.values()).count, default="F32")
    done: dict[int, Tensor] = {}
    out = {}
    for name, tensor in model.state_dict().items():
        kind = TYPES.get(stored.get(name, usual), tensor.dtype)
        wanted = kind if tensor.is_floating_point() else tensor.dtype
        out[name] = done.setdefault(tensor.data_ptr(), tensor.detach().to("cpu", wanted).contiguous())
    return out


def save_state(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, object]) -> None:
    """Write training state as one safetensors file, `facts` as JSON in its header; atomic and durable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    own = {k: t.detach().cpu().clone(memory_format=torch.contiguous_format) for k, t in tensors.items()}
    save_file(own, new, metadata={"facts": json.dumps(facts, sort_keys=True)})
    with new.open("rb") as handle:
        os.fsync(handle.fileno())
    new.replace(path)


def load_state(path: Path) -> tuple[dict[str, Tensor], dict]:
    """The tensors (on the CPU) and facts that save_state wrote.

    Raises:
        ModelError: the file is damaged or was not written by save_state.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {k: file.get_tensor(k) for k in file.keys()}, json.loads(file.metadata()["facts"])  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is no training state: {error}", do="delete it to start afresh") from error


def optimiser_tensors(optimiser: Optimizer, names: Mapping[Tensor, str]) -> dict[str, Tensor]:
    """The optimiser's state as flat tensors, named `optimiser/<parameter>/<key>`."""
    return {f"optimiser/{names[p]}/{k}": v for p, own in optimiser.state.items() for k, v in own.items()}


def restore_optimiser(optimiser: Optimizer, names: Mapping[Tensor, str], tensors: Mapping[str, Tensor]) -> None:
    """Put back what optimiser_tensors took: same parameters, same values, on the parameters' devices and as sharded."""
    own: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser/"):
            name, kind = key.removeprefix("optimiser/").rsplit("/", 1)
            own.setdefault(name, {})[kind] = value
    optimiser.state.clear()
    for parameter in (p for group in optimiser.param_groups for p in group["params"]):
        if names[parameter] in own:
            state = own[names[parameter]]
            optimiser.state[parameter] = {k: cut_like(v, parameter) for k, v in state.items()}
