"""Every instrument: at the base it sees nothing, it changes nothing, and it sees a model that was pulled away."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from training_rows import make_rows, recipe

from safety_assets.errors import TrainingError
from safety_assets.models.ranks import ALONE
from safety_assets.training.opened import Run, open_run

INSTRUMENTS = {
    "refusal_direction": {"look": "refusal_direction", "prompts": 8},
    "linear_probes": {"look": "linear_probes", "prompts": 8, "heads": 2, "neurons": 4},
    "safety_divergence": {"look": "safety_divergence", "rows": 8, "at_most": 1e-3},
}
AT_BASE = {
    "refusal_direction/separation": 1.0, "refusal_direction/cosine": 1.0, "refusal_direction/log_odds": 0.0,
    "safety_divergence/divergence": 0.0,
}  # fmt: skip
EVERY = pytest.mark.parametrize("name", INSTRUMENTS)


def opened(order, *names: str, **monitor) -> Run:
    settings = {"every": 2, "instruments": [INSTRUMENTS[name] for name in names], **monitor}
    run, _ = open_run(order(rows=make_rows(num_pairs=12), monitor=settings), ALONE, watched=True)
    return run


@EVERY
def test_at_the_base_nothing_has_moved_and_nothing_is_changed(order, name: str) -> None:
    run = opened(order, name)
    before = [p.detach().clone() for p in run.parameters]
    random = torch.get_rng_state()
    ((values, fallen, action),) = run.instruments.look("warn")
    assert fallen == {}
    assert action == "warn"
    assert values
    for series, value in values.items():
        if series in AT_BASE:
            assert value == pytest.approx(AT_BASE[series], abs=1e-4), series
    assert all(torch.equal(a, b) for a, b in zip(before, run.parameters, strict=True))
    assert all(p.grad is None for p in run.parameters)
    assert torch.equal(random, torch.get_rng_state())


@EVERY
def test_a_model_that_says_the_same_to_everything_has_fallen(order, name: str) -> None:
    run = opened(order, name)
    with torch.no_grad():
        for parameter in run.parameters:
            parameter.zero_()
    values, fallen, _ = run.instruments.look("warn")[0]
    assert fallen
    assert set(fallen) <= set(values)


@EVERY
def test_it_looks_the_same_twice(order, name: str) -> None:
    run = opened(order, name)
    assert run.instruments.look("warn") == run.instruments.look("warn")


@EVERY
def test_without_pairs_it_is_refused_in_words(order, name: str) -> None:
    settings = {"instruments": [INSTRUMENTS[name]]}
    with pytest.raises(TrainingError, match=f"{name} has"):
        open_run(order(rows=make_rows(num_pairs=0), monitor=settings), ALONE, watched=True)


@pytest.mark.parametrize("methods", [[], [{"method": "lora", "rank": 4}]])
def test_what_alignment_added_is_watched_where_it_lies(order, tiny_model: Path, tmp_path: Path, methods: list) -> None:
    """The base is the ancestor plus a movement of rank one per matrix; noise on the base takes its share down."""
    ancestor = shutil.copytree(tiny_model, tmp_path / "ancestor")
    generator = torch.Generator().manual_seed(0)
    stored = load_file(tiny_model / "model.safetensors")
    moved = {
        name: tensor - torch.outer(*(torch.randn(n, generator=generator) for n in tensor.shape)) / 50
        if tensor.dim() == 2 and "embed" not in name
        else tensor
        for name, tensor in stored.items()
    }
    save_file(moved, ancestor / "model.safetensors", metadata={"format": "pt"})
    settings = {"instruments": [{"look": "safety_subspace", "rank": 1, "floor": 0.9}]}
    with pytest.raises(TrainingError, match="unaligned ancestor, and none is named"):
        open_run(order(monitor=settings), ALONE, watched=True)
    run, _ = open_run(order(monitor=settings, pretrained=ancestor, methods=methods), ALONE, watched=True)
    values, fallen, _ = run.instruments.look("warn")[0]
    assert values["safety_subspace/kept"] == pytest.approx(1.0, abs=1e-5)
    assert fallen == {}
    with torch.no_grad():
        for parameter in run.parameters:
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator))
    values, fallen, _ = run.instruments.look("warn")[0]
    assert values["safety_subspace/kept"] < 0.9
    assert fallen == values


def test_an_instrument_stands_once() -> None:
    with pytest.raises(ValueError, match="instrument safety_divergence stands twice"):
        recipe(monitor={"instruments": [INSTRUMENTS["safety_divergence"]] * 2})
