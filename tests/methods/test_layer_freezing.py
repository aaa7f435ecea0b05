from pathlib import Path

import pytest
import torch
from opened_training import open_training, series, take_steps, weights

from safety_assets.errors import TrainingError
from safety_assets.methods.anatomy import Anatomy
from safety_assets.methods.anatomy_files import write_anatomy
from safety_assets.methods.layer_freezing import middle_of

FIRST = {"method": "layer_freezing", "layers": [0]}
LORA = {"method": "lora", "rank": 4}


def of_first(name: str) -> bool:
    return ".layers.0." in name and ("self_attn" in name or "mlp" in name)


@pytest.mark.parametrize(
    ("depth", "expected"), [(32, range(12, 20)), (16, range(6, 10)), (2, [1]), (1, [0])]
)  # fmt: skip
def test_the_middle_of_the_depth(depth: int, expected):
    assert middle_of(depth, 0.375, 0.625) == tuple(expected)


def test_frozen_tensors_stay_to_the_bit_and_out_of_the_optimiser(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, FIRST, weight_decay=0.1)
    before = weights(run)
    frozen = [p for name, p in run.loaded.model.named_parameters() if of_first(name)]
    assert len(frozen) == 7
    steps = iter(range(10))

    def look(context, step: int) -> None:
        assert all(p.grad is None for p in frozen)
        next(steps)

    run.methods[0].edit_gradients = look
    take_steps(run)
    assert next(steps) == 4
    after = weights(run)
    assert {n for n in before if torch.equal(before[n], after[n])} == {n for n in before if of_first(n)}
    assert not {id(p) for p in frozen} & {id(p) for p in run.optimiser.state}


def test_with_adapters_only_the_free_layers_are_adapted(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, LORA, FIRST)
    trained = [name for name, p in run.loaded.model.named_parameters() if p.requires_grad]
    assert trained
    assert all(".layers.1." in name and "lora_" in name for name in trained)
    take_steps(run)
    before = dict(open_training(tiny_model, tmp_path / "base").loaded.model.named_parameters())
    for method, context in reversed(run.acting):
        method.finish(context)
    after = weights(run)
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert changed == {n for n in before if ".layers.1." in n and n.endswith("_proj.weight")}


@pytest.mark.parametrize("layers", [[0, 1], [2], [-1]])
def test_all_layers_and_layers_that_are_not_there_are_refused(tiny_model: Path, tmp_path: Path, layers: list):
    with pytest.raises(TrainingError, match="some, not all, of the layers 0 to 1"):
        open_training(tiny_model, tmp_path, {"method": "layer_freezing", "layers": layers})


@pytest.mark.parametrize(("found", "frozen"), [((0,), 0), ((), 1)])
def test_the_layers_are_those_of_the_anatomy_or_the_middle(tiny_model: Path, tmp_path: Path, found, frozen: int):
    write_anatomy(tmp_path, Anatomy(torch.zeros(2, 32), (0.5, 0.5), found, (), "no ancestor", 2, 2))
    run = open_training(tiny_model, tmp_path, {"method": "layer_freezing"}, anatomy=tmp_path)
    held = {name.split(".")[2] for name, p in run.loaded.model.named_parameters() if not p.requires_grad}
    assert held == {str(frozen)}
    assert series(run, "layer_freezing/from_anatomy") == [float(bool(found))]


def test_without_anatomy_it_is_the_middle_and_the_history_says_so(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, {"method": "layer_freezing"})
    assert {n.split(".")[2] for n, p in run.loaded.model.named_parameters() if not p.requires_grad} == {"1"}
    assert series(run, "layer_freezing/from_anatomy") == [0.0]
