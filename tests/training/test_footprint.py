from pathlib import Path

import pytest
import torch
from training_rows import recipe

from safety_assets.models.load import load_model
from safety_assets.models.ranks import ALONE
from safety_assets.training.footprint import (
    adapter_parameters,
    byte_count,
    disk,
    footprint,
    shape_of,
    trained_parameters,
)
from safety_assets.training.opened import open_run
from safety_assets.training.view import trainable_parameters

LORA = {"method": "lora", "rank": 4}


def test_the_headers_give_the_size_of_the_model(tiny_model: Path) -> None:
    shape, model = shape_of(tiny_model), load_model(tiny_model, device="cpu").model
    assert shape.parameters == sum(p.numel() for p in model.parameters())
    assert (shape.layers, shape.hidden) == (2, 32)
    assert len(shape.matrices) == 14  # seven linear layers in each of two blocks
    assert shape.stored == 4 * shape.parameters


@pytest.mark.parametrize("layers", ["all-linear", ["q_proj", "v_proj"]])
def test_adapters_are_counted_as_peft_makes_them(tiny_model: Path, order, layers: object) -> None:
    wanted = order(methods=[LORA | {"layers": layers}])
    run, _ = open_run(wanted, ALONE)
    trained = sum(p.numel() for p in trainable_parameters(run.loaded.model))
    assert adapter_parameters(shape_of(tiny_model), wanted.recipe) == trained


@pytest.mark.parametrize("methods", [[], [LORA]], ids=["full", "lora"])
@pytest.mark.parametrize("layers", [[1], "middle"])
def test_frozen_layers_are_not_counted_as_trained(tiny_model: Path, order, layers: object, methods: list) -> None:
    wanted = order(methods=[{"method": "layer_freezing", "layers": layers}, *methods])
    run, _ = open_run(wanted, ALONE)
    trained = sum(p.numel() for p in trainable_parameters(run.loaded.model))
    assert trained_parameters(shape_of(tiny_model), wanted.recipe) == trained


def test_layers_that_are_not_known_yet_are_never_counted_as_too_many(tiny_model: Path) -> None:
    shape = shape_of(tiny_model)
    unknown, one = (
        trained_parameters(shape, recipe(methods=[{"method": "layer_freezing", "layers": layers}]))
        for layers in ("anatomy", [0])
    )
    assert unknown == one < shape.parameters


def test_full_training_holds_sixteen_bytes_a_parameter(tiny_model: Path) -> None:
    shape = shape_of(tiny_model)
    assert footprint(shape, recipe(), tokens=0, responses=0, half=False).certain == 16 * shape.parameters
    assert footprint(shape, recipe(), tokens=0, responses=0, half=False, parts=2).certain == 8 * shape.parameters


def test_a_second_set_of_weights_costs_nothing_with_adapters(tiny_model: Path) -> None:
    shape = shape_of(tiny_model)
    full, low = (footprint(shape, r, tokens=64, responses=8, half=True) for r in (recipe(), recipe(methods=[LORA])))
    assert low.trained < full.trained / 4
    assert low.passes == full.passes
    assert disk(shape, recipe(methods=[LORA])) < disk(shape, recipe())


def test_checkpointing_makes_passes_smaller(tiny_model: Path) -> None:
    shape = shape_of(tiny_model)
    plain, kept = (
        footprint(shape, recipe(activation_checkpointing=on), tokens=64, responses=8, half=False)
        for on in (False, True)
    )
    assert kept.passes < plain.passes
    assert kept.certain == plain.certain
    assert plain.total == plain.certain + plain.passes


def test_activations_are_estimated_within_a_factor_of_what_is_kept(tiny_model: Path) -> None:
    """The estimate against the bytes that autograd really keeps for one pass."""
    loaded, kept = load_model(tiny_model, device="cpu"), {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    own = {p.untyped_storage().data_ptr() for p in loaded.model.parameters()}
    loaded.model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loaded.model(input_ids=torch.ones((4, 64), dtype=torch.long), use_cache=False, logits_to_keep=1)
    measured = sum(size for place, size in kept.items() if place not in own)
    estimate = footprint(shape_of(tiny_model), recipe(), tokens=4 * 64, responses=4, half=False).passes
    assert measured / 2 < estimate < 2 * measured


def test_bytes_for_a_sentence() -> None:
    assert (byte_count(6.24e9), byte_count(14.2e6)) == ("6.2 GB", "14 MB")


def test_an_average_is_one_more_copy_of_what_is_trained(tiny_model: Path) -> None:
    shape, averaged = shape_of(tiny_model), recipe(methods=[{"method": "weight_average"}])
    assert footprint(shape, averaged, tokens=0, responses=0, half=False).certain == 20 * shape.parameters
    assert disk(shape, averaged) - disk(shape, recipe()) == 4 * shape.parameters


def test_a_base_in_four_bits_is_counted_as_such(tiny_model: Path) -> None:
    shape, quantised = shape_of(tiny_model), recipe(methods=[LORA | {"quantise": "4bit"}])
    inside = sum(rows * columns for rows, columns in shape.matrices.values())
    saved = [
        footprint(shape, r, tokens=0, responses=0, half=False).weights for r in (recipe(methods=[LORA]), quantised)
    ]
    assert saved[0] - saved[1] == pytest.approx((4 - 0.5625) * inside, rel=1e-3)
