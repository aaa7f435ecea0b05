from pathlib import Path

import pytest
import torch
from opened_training import each_step, make_rows, open_training, series, take_steps, weights

from safety_assets.errors import TrainingError
from safety_assets.methods.gradients import dot
from safety_assets.methods.half_space import factor, step_back
from safety_assets.models.batch import response_loss


def entry(**knobs) -> dict:
    return {"method": "half_space", "batch_rows": 2} | knobs


def tensors(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator) for s in ((3, 4), (5,))]


@pytest.mark.parametrize("seed", range(4))
def test_uncapped_the_linearised_loss_is_the_bound_and_the_way_is_the_shortest(seed: int):
    start, gradient = tensors(seed), tensors(seed + 10)
    loss, bound = 2.5, 0.7
    weights = [t.clone() for t in start]
    step_back(weights, gradient, factor(loss, bound, dot(gradient, gradient), 1e9))
    way = [b - a for a, b in zip(start, weights, strict=True)]
    assert loss + dot(gradient, way) == pytest.approx(bound, abs=1e-5)
    beside = tensors(seed + 20)
    along = dot(beside, gradient) / dot(gradient, gradient)
    other = [w + b - along * g for w, b, g in zip(way, beside, gradient, strict=True)]  # reaches the bound too
    assert loss + dot(gradient, other) == pytest.approx(bound, abs=1e-4)
    assert dot(way, way) < dot(other, other)


def test_inside_nothing_moves_to_the_bit():
    assert factor(0.7, 0.7, 1.0, 1.0) == 0
    assert factor(0.9, 0.7, 0.0, 1.0) == 0
    start = tensors(0)
    weights = [t.clone() for t in start]
    step_back(weights, tensors(1), 0.0)
    assert all(a.equal(b) for a, b in zip(start, weights, strict=True))


def test_the_trust_region_caps_the_factor():
    assert factor(10.0, 0.0, 1.0, 0.02) == 0.02


def test_the_bound_is_the_bases_mean_loss_times_the_margin(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, entry(margin=0.5))
    places = [i for i, row in enumerate(run.rows) if row.origin == "refusal"]
    batch = run.view.batch(places)
    with torch.no_grad():
        expected = 0.5 * float(response_loss(run.loaded.model, batch)) / batch.num_responses
    assert run.methods[0]._bound == pytest.approx(expected, rel=1e-5)


def test_the_optimisers_moments_are_not_touched(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, entry(margin=0.1, reach=100.0), steps=1)
    plain = take_steps(open_training(tiny_model, tmp_path / "plain", steps=1))
    take_steps(run)
    assert series(run, "half_space/factor")[0] > 0
    states = zip(run.optimiser.state.values(), plain.optimiser.state.values(), strict=True)
    assert all(torch.equal(one[k], other[k]) for one, other in states for k in one)
    assert any(not torch.equal(a, b) for a, b in zip(weights(run).values(), weights(plain).values(), strict=True))


def test_under_the_bound_training_is_plain(tiny_model: Path, tmp_path: Path):
    run = take_steps(open_training(tiny_model, tmp_path, entry(margin=100.0)))
    plain = take_steps(open_training(tiny_model, tmp_path / "plain"))
    assert set(series(run, "half_space/factor")) == {0.0}
    assert all(torch.equal(a, b) for a, b in zip(weights(run).values(), weights(plain).values(), strict=True))


def test_above_the_bound_it_brings_the_safety_loss_down(tiny_model: Path, tmp_path: Path):
    plain = open_training(tiny_model, tmp_path / "plain", entry(margin=0.5, reach=0.0), share=0.0, steps=12)
    held = open_training(tiny_model, tmp_path, entry(margin=0.5, reach=30.0), share=0.0, steps=12)
    for run in (plain, held):
        each_step(run, lambda step: None)
    assert sum(series(held, "half_space/loss")) < sum(series(plain, "half_space/loss"))


def test_without_refusals_it_is_refused_in_words(tiny_model: Path, tmp_path: Path):
    rows = make_rows(("corpus",) * 6 + ("anchor",) * 4)
    with pytest.raises(TrainingError, match="half_space has no row"):
        open_training(tiny_model, tmp_path, entry(), rows=rows)
