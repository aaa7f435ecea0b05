"""Which model a folder holds, read from its bytes. No torch.

The identity is one digest over everything that decides what the model says: weights, adapter, configuration,
generation configuration, tokenizer and chat template (which holds the serving system prompt) count, and the note of
who made it; a README does not.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from safety_assets.errors import ModelError
from safety_assets.models.template import read_template
from safety_assets.models.weights import INDEX, WHOLE, index_faults, weight_files
from safety_assets.store import digest_file, digest_json

CONFIGURATION = ("config.json", "generation_config.json")
TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model",
)  # fmt: skip
TEMPLATE = ("chat_template.jinja", "additional_chat_templates/*.jinja")
MADE = "made.json"
"""Who made the model, where its maker left a note: `made_by`."""
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
ADAPTER_CONFIG = "adapter_config.json"


@dataclass(frozen=True)
class ModelIdentity:
    """What a model folder holds.

    Args:
        digest: sha256 over the sorted names and digests of the files.
        files: file name to sha256 of its bytes.
    """

    digest: str
    files: dict[str, str]

    @property
    def parts(self) -> dict[str, str]:
        """Digest of each part: weights, adapter, configuration, tokenizer, template, made; absent ones left out."""
        found: dict[str, dict[str, str]] = {}
        for name, digest in self.files.items():
            found.setdefault(part_of(name), {})[name] = digest
        return {part: digest_json(sorted(files.items())) for part, files in found.items()}


def identify(folder: Path) -> ModelIdentity:
    """The identity of the model in a folder, from its bytes and never from time stamps.

    Raises:
        ModelError: no such folder, weights that are absent, only pickled or not those of their index, no
            configuration, no tokenizer, no chat template; or the folder is an adapter, not a model.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder", expected="a model folder", do="check base_model in project.yaml")
    demand_weights(folder)
    _demand_configuration(folder)
    _demand_template(folder)
    files = {p.relative_to(folder).as_posix(): digest_file(p) for p in identity_files(folder)}
    return ModelIdentity(digest=digest_json(sorted(files.items())), files=files)


def identity_files(folder: Path) -> list[Path]:
    """The files that belong to the identity, sorted by name."""
    return sorted({*weight_files(folder), *_present(folder, (INDEX, f"adapter/{ADAPTER_CONFIG}")), *word_files(folder)})


def word_files(folder: Path) -> list[Path]:
    """The files of the identity that are no weights: what an exported model takes over byte by byte."""
    return _present(folder, (*CONFIGURATION, *TOKENIZER, *TEMPLATE, MADE))


def part_of(name: str) -> str:
    """The part of the identity that a file belongs to."""
    if name.startswith("adapter/"):
        return "adapter"
    if name in CONFIGURATION:
        return "configuration"
    if name in TOKENIZER:
        return "tokenizer"
    if name == MADE:
        return "made"
    return "template" if name.endswith(".jinja") else "weights"


def made_by(folder: Path) -> str:
    """Who made the model of a folder, as its made.json says; empty where there is no such note."""
    try:
        return str(json.loads((folder / MADE).read_text(encoding="utf-8")).get("made_by", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _present(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    return sorted({p for pattern in patterns for p in folder.glob(pattern) if p.is_file()})


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no model of its own."""
    return (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file()


def demand_weights(folder: Path) -> None:
    """ModelError unless a folder holds all weights of one model, as safetensors."""
    if (folder / ADAPTER_CONFIG).is_file():
        raise ModelError(
            f"{folder} holds {ADAPTER_CONFIG}: it is an adapter",
            expected="a folder with all weights of a model",
            do="write base_model: {base: FOLDER, adapter: FOLDER} in project.yaml",
        )
    for fault in index_faults(folder):
        raise ModelError(f"the shards in {folder} are not what their index says: {fault}", do="download the model anew")
    if all(path.is_file() for path in weight_files(folder)):
        return
    pickles = _present(folder, PICKLES)
    if pickles:
        raise ModelError(
            f"{folder} holds only pickled weights: {', '.join(p.name for p in pickles[:3])}",
            expected="*.safetensors; loading a pickle runs code from the file",
            do="convert the weights to safetensors",
        )
    raise ModelError(f"{folder} holds no weights", expected=f"{WHOLE} or {INDEX}", do="download the model completely")


def _demand_configuration(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json", expected="a transformers model folder", do="add config.json")
    if not has_tokenizer(folder):
        names = ", ".join(VOCABULARIES)
        raise ModelError(f"{folder} has no tokenizer", expected=f"one of {names}", do="add the tokenizer's files")


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a vocabulary."""
    return any((folder / name).is_file() for name in VOCABULARIES)


def _demand_template(folder: Path) -> None:
    if read_template(folder) is None:
        raise ModelError(
            f"{folder} has no chat template",
            expected="chat_template.jinja, or chat_template in tokenizer_config.json",
            do="name the template that the model was aligned with as chat_template in project.yaml; a guessed one "
            "would measure another model",
        )
