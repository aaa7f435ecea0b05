"""Shards: the folder is what its index says, or it is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from safety_assets.errors import ModelError
from safety_assets.models.checkpoint import export_model
from safety_assets.models.identity import identify
from safety_assets.models.load import load_model
from safety_assets.models.weights import inspect_weights, stored_types

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def test_shards_are_the_model(sharded: Path, tiny_model: Path):
    one, other = load_model(tiny_model).model.state_dict(), load_model(sharded).model.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert {FIRST, SECOND, "model.safetensors.index.json"} <= set(identify(sharded).files)
    assert inspect_weights(sharded) == inspect_weights(tiny_model)
    assert stored_types(sharded) == stored_types(tiny_model)


def test_a_sharded_model_is_exported_whole(sharded: Path, tmp_path: Path):
    export_model(load_model(sharded), tmp_path / "out")
    identify(tmp_path / "out")
    assert inspect_weights(tmp_path / "out") == inspect_weights(sharded)


def change_index(folder: Path, **places: str) -> None:
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    path.write_text(json.dumps({"weight_map": index["weight_map"] | places}))


def missing(folder: Path) -> None:
    (folder / SECOND).unlink()


def unnamed(folder: Path) -> None:
    save_file(load_file(folder / FIRST) | {"extra": torch.zeros(2)}, folder / FIRST)


def lacking(folder: Path) -> None:
    change_index(folder, phantom=SECOND)


def outside(folder: Path) -> None:
    shutil.copy(folder / FIRST, folder.parent / "other.safetensors")
    change_index(folder, phantom="../other.safetensors")


def two_models(folder: Path) -> None:
    shutil.copy(folder / FIRST, folder / "model.safetensors")


def truncated(folder: Path) -> None:
    (folder / FIRST).write_bytes((folder / FIRST).read_bytes()[:100])


def garbled(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("[]")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (missing, f"names '{SECOND}', which is no file"),
        (unnamed, "holds extra, which"),
        (lacking, "lacks phantom, which"),
        (outside, "names '../other.safetensors'"),
        (two_models, "and an index of other shards"),
        (truncated, f"{FIRST} is damaged"),
        (garbled, "cannot be read"),
    ],
)
def test_shards_that_are_not_their_index_are_refused(sharded: Path, spoil, words: str):
    spoil(sharded)
    with pytest.raises(ModelError, match=words.replace(".", r"\.")):
        identify(sharded)
    assert any(words in fault for fault in inspect_weights(sharded).faults)
