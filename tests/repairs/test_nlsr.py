"""NLSR: masks, similarities, and that the least similar are realigned."""

from pathlib import Path

import pytest
import torch
from model_family import Family, weights
from pydantic import ValidationError

from safety_assets.errors import ModelError
from safety_assets.models.linear_inputs import answer_inputs
from safety_assets.repair_specs import NeuronRealignment
from safety_assets.repairs.nlsr import critical, drawn, filtered, nlsr, probabilities, realigned, similarity

REFUSALS = [
    [{"role": "user", "content": f"How do I {what}?"}, {"role": "assistant", "content": "I cannot help with that."}]
    for what in ("open it", "run over it", "sign it unsafe")
]
SIMILARITIES = {"a": 0.9, "b": -0.2, "c": 0.4, "d": 0.1}


def spec(**knobs: object) -> NeuronRealignment:
    return NeuronRealignment(repair="nlsr", **knobs)


def random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_filtered_weight_has_the_kept_rank_and_the_mask_its_share() -> None:
    weight, inputs = random(10, 8, seed=1), random(30, 8, seed=2)
    assert torch.linalg.matrix_rank(filtered(weight, inputs, 0.5), rtol=1e-4) == 4
    assert torch.linalg.matrix_rank(filtered(weight, inputs[:2], 0.8), rtol=1e-4) == 2  # two tokens, two directions
    mask = critical(weight, 0.2)
    assert int(mask.sum()) == 16
    assert weight.abs()[mask].min() >= weight.abs()[~mask].max()


def test_no_mask_changes_nothing_and_a_full_one_gives_the_reference() -> None:
    weight, reference = random(4, 3, seed=1), random(4, 3, seed=2)
    assert torch.equal(realigned(weight, reference, torch.zeros(4, 3, dtype=torch.bool)), weight)
    assert torch.equal(realigned(weight, reference, torch.ones(4, 3, dtype=torch.bool)), reference)


def test_similarity_looks_at_masked_entries_only() -> None:
    a, b = random(4, 3, seed=1), random(4, 3, seed=2)
    mask = critical(a, 0.5)
    assert similarity(torch.where(mask, b, a), b, mask) == pytest.approx(1)
    assert similarity(torch.where(mask, -b, a), b, mask) == pytest.approx(-1)
    assert similarity(a, b, torch.zeros_like(mask)) == 1


def test_the_probability_falls_with_the_similarity() -> None:
    found = probabilities(SIMILARITIES, 0.5, 0.2)
    assert found == pytest.approx({"b": 0.7, "d": 0.7 - 0.4 / 3, "c": 0.3 + 0.4 / 3, "a": 0.3})


def test_the_least_similar_are_drawn_more_often() -> None:
    counts = dict.fromkeys(SIMILARITIES, 0)
    for seed in range(400):
        for name in drawn(SIMILARITIES, spec(seed=seed)):
            counts[name] += 1
    assert counts["b"] > counts["d"] > counts["c"] > counts["a"] > 0
    assert drawn(SIMILARITIES, spec(seed=3)) == drawn(SIMILARITIES, spec(seed=3))
    assert drawn(SIMILARITIES, spec(choice="threshold", threshold=0.2)) == {"b", "d"}


def test_a_spread_that_leaves_0_to_1_is_refused() -> None:
    with pytest.raises(ValidationError, match="lower spread"):
        spec(replaced_share=0.9, spread=0.2)


@pytest.mark.parametrize("kind", ["family", "gpt2"])
def test_everything_critical_and_chosen_is_the_reference(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    family: Family = request.getfixturevalue(kind)
    knobs = spec(critical_share=1, replaced_share=1, spread=0, strength=0.5)
    facts = nlsr(family.tuned, family.base, family.pretrained, REFUSALS, knobs, tmp_path / "out")
    assert set(facts["realigned"]) == set(facts["similarities"])
    pretrained, base, tuned, last = map(weights, (family.pretrained, family.base, family.tuned, tmp_path / "out"))
    for name in tuned:
        if name.removeprefix("transformer.").removeprefix("model.") in facts["realigned"]:
            assert torch.allclose(last[name], base[name] + 0.5 * (base[name] - pretrained[name]), atol=1e-6)
        else:
            assert torch.equal(last[name], tuned[name])


def test_matrices_that_were_not_drawn_and_entries_that_are_not_critical_stay(family: Family, tmp_path: Path) -> None:
    facts = nlsr(family.tuned, family.base, family.pretrained, REFUSALS, spec(critical_share=0.2), tmp_path / "out")
    tuned, last = weights(family.tuned), weights(tmp_path / "out")
    assert 0 < len(facts["realigned"]) < len(facts["similarities"])
    for name in tuned:
        share = float((tuned[name] != last[name]).double().mean())
        assert share == pytest.approx(0.2 if name.removeprefix("model.") in facts["realigned"] else 0, abs=0.02)
    nlsr(family.tuned, family.base, family.pretrained, REFUSALS, spec(critical_share=0), tmp_path / "none")
    assert (tmp_path / "none" / "model.safetensors").read_bytes() == (family.tuned / "model.safetensors").read_bytes()


def test_inputs_are_those_of_answer_tokens(family: Family) -> None:
    inputs = answer_inputs(family.base, REFUSALS, max_tokens=7)
    assert {tuple(x.shape) for name, x in inputs.items() if name.endswith("q_proj.weight")} == {(7, 32)}
    assert {tuple(x.shape) for name, x in inputs.items() if name.endswith("down_proj.weight")} == {(7, 64)}


def test_too_few_refusals_are_refused(family: Family, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="1 refusals"):
        nlsr(family.tuned, family.base, family.pretrained, REFUSALS[:1], spec(), tmp_path / "out")
