"""An anatomy as two files: JSON for what people read, safetensors for the directions and the safety vector."""

import json
from pathlib import Path

from safetensors.torch import load_file, save_file

from safety_assets.methods.anatomy import Anatomy
from safety_assets.store import write_json


def write_anatomy(folder: Path, anatomy: Anatomy) -> None:
    """Write `anatomy.json` and `directions.safetensors`."""
    tensors = {"directions": anatomy.directions}
    if anatomy.safety_vector is not None:
        tensors["safety_vector"] = anatomy.safety_vector
    save_file({k: t.float().cpu().contiguous() for k, t in tensors.items()}, folder / "directions.safetensors")
    write_json(folder, "anatomy", {
        "separation": list(anatomy.separation), "safety_layers": list(anatomy.safety_layers),
        "safety_tokens": [{"token": token, "shift": shift} for token, shift in anatomy.safety_tokens],
        "tokens_absent_because": anatomy.tokens_absent_because,
        "num_refused": anatomy.num_refused, "num_complied": anatomy.num_complied,
        "layers_found_by": anatomy.layers_found_by, "gap": list(anatomy.gap), "gap_noise": anatomy.gap_noise,
        "neurons": [list(neuron) for neuron in anatomy.neurons], "projections": list(anatomy.projections),
        "token_ids": list(anatomy.token_ids), "token_mass": anatomy.token_mass,
    })  # fmt: skip


def read_anatomy(folder: Path) -> Anatomy:
    """What `write_anatomy` wrote; an older one has no safety vector."""
    said = json.loads((folder / "anatomy.json").read_text())
    tokens = tuple((entry["token"], entry["shift"]) for entry in said.pop("safety_tokens"))
    separation, layers = tuple(said.pop("separation")), tuple(said.pop("safety_layers"))
    for name in ("gap", "projections", "token_ids"):
        said[name] = tuple(said.get(name, ()))
    said["neurons"] = tuple((layer, place, effect) for layer, place, effect in said.get("neurons", ()))
    tensors = load_file(folder / "directions.safetensors")
    return Anatomy(
        directions=tensors["directions"], safety_vector=tensors.get("safety_vector"), separation=separation,
        safety_layers=layers, safety_tokens=tokens, **said,
    )  # fmt: skip
