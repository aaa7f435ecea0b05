from pathlib import Path

import pytest
import torch
from opened_training import each_step, open_training, take_steps, weights

from safety_assets.methods.weight_average import average, decay_of


def finished(run) -> dict:
    for method, context in reversed(run.acting):
        method.finish(context)
    return weights(run)


def entry(**knobs) -> dict:
    return {"method": "weight_average"} | knobs


@pytest.mark.parametrize("decay", [0.3, 0.9])
def test_towards_constant_weights_it_goes_geometrically(decay: float):
    base, weight = torch.tensor([1.0, -2.0]), torch.tensor([5.0, 1.0])
    kept = [base.clone()]
    for _ in range(7):
        average(kept, [weight], decay)
    assert torch.allclose(kept[0] - weight, decay**7 * (base - weight), atol=1e-5)


def test_its_ends_are_exact():
    base, weight = torch.randn(50, generator=torch.Generator().manual_seed(0)), torch.randn(50)
    kept = [base.clone()]
    average(kept, [weight], 1.0)
    assert kept[0].equal(base)
    average(kept, [kept[0].clone()], 0.7)
    assert kept[0].equal(base)
    average(kept, [weight], 0.0)
    assert kept[0].equal(weight)


@pytest.mark.parametrize("steps", [1, 10, 1000])
def test_the_base_retains_its_share(steps: int):
    assert decay_of(0.2, steps) ** steps == pytest.approx(0.2)


def test_a_shadow_leaves_training_alone_and_is_the_average_of_its_weights(tiny_model: Path, tmp_path: Path):
    plain, run = open_training(tiny_model, tmp_path / "plain"), open_training(tiny_model, tmp_path, entry(decay=0.6))
    expected, seen = weights(run), []
    each_step(run, lambda step: seen.append(weights(run)))
    assert all(torch.equal(a, b) for a, b in zip(seen[-1].values(), weights(take_steps(plain)).values(), strict=True))
    for own in seen:
        expected = {n: 0.6 * expected[n] + 0.4 * own[n] for n in own}
    found = finished(run)
    assert all(torch.allclose(found[n], expected[n], atol=1e-5) for n in found)
    assert not all(torch.allclose(found[n], seen[-1][n], atol=1e-3) for n in found)


def test_a_retention_of_one_serves_the_base(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, entry(retention=1.0))
    before = weights(run)
    take_steps(run)
    after = finished(run)
    assert all(torch.equal(before[n], after[n]) for n in before)


def test_written_back_training_goes_on_from_the_average(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, entry(decay=0.9, mode="write_back", every=2))
    method, equal = run.methods[0], []

    def look(step: int) -> None:
        pairs = zip(run.contexts[0].parameters(), method.state().values(), strict=True)
        equal.append(all(torch.equal(p, kept) for p, kept in pairs))

    each_step(run, look)
    assert equal == [False, True, False, True]


def test_of_adapters_the_factors_are_averaged_not_their_product(tiny_model: Path, tmp_path: Path):
    lora = {"method": "lora", "rank": 2, "layers": ["q_proj"]}
    run = open_training(tiny_model, tmp_path, lora, entry(decay=0.5))
    name = "model.layers.0.self_attn.q_proj."
    base, factors = weights(run)[name + "base_layer.weight"], []

    def look(step: int) -> None:
        own = weights(run)
        factors.append((own[name + "lora_B.default.weight"], own[name + "lora_A.default.weight"]))

    first = weights(run)
    b, a = first[name + "lora_B.default.weight"], first[name + "lora_A.default.weight"]
    product = b @ a
    each_step(run, look)
    for own_b, own_a in factors:
        b, a, product = (b + own_b) / 2, (a + own_a) / 2, (product + own_b @ own_a) / 2
    change = (finished(run)[name + "weight"] - base) * 2 / 16  # scaled by alpha / rank
    assert torch.allclose(change, b @ a, atol=1e-6)
    assert not torch.allclose(change, product, atol=1e-6)
