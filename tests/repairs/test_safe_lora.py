"""Safe LoRA: the algebra of C and of the projector, and which matrices change."""

from pathlib import Path

import pytest
import torch
from model_family import Family, weights

from safety_assets.repair_specs import SafeLowRank
from safety_assets.repairs.safe_lora import agreement, chosen, projected, published, safe_lora


def random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(10, 6), (6, 10)])
def test_c_is_never_formed_and_still_the_same(shape: tuple[int, int]) -> None:
    v, d = random(*shape, seed=1), random(*shape, seed=2)
    assert torch.allclose(published(v, d), v @ v.T / torch.linalg.norm(v) @ d)
    assert torch.allclose(published(-3 * v, d), 3 * published(v, d))  # C(aV) = |a| C(V): no projector
    cosine = agreement(published(v, d), d)
    assert 0 <= cosine <= 1
    assert agreement(published(5 * v, d), d) == pytest.approx(cosine)
    assert agreement(published(v, 7 * d), 7 * d) == pytest.approx(cosine)


def test_the_true_projector_is_idempotent_and_never_lengthens() -> None:
    v, d = random(10, 6, seed=1), random(10, 6, seed=2)
    once = projected(v, d, 3)
    assert torch.allclose(projected(v, once, 3), once)
    assert torch.linalg.norm(once) <= torch.linalg.norm(d)
    assert torch.linalg.matrix_rank(once) == 3


def test_chosen_by_threshold_or_by_number() -> None:
    cosines = {"a": 0.7, "b": 0.2, "c": 0.5}
    assert chosen(cosines, 0.5, None) == {"b", "c"}
    assert chosen(cosines, 0.5, 1) == {"b"}
    assert chosen(cosines, -1, None) == frozenset()


def spec(**knobs: object) -> SafeLowRank:
    return SafeLowRank(repair="safe_lora", **knobs)


@pytest.mark.parametrize("matrix", ["published", "projector"])
@pytest.mark.parametrize("kind", ["family", "gpt2"])
def test_chosen_matrices_hold_the_part_of_their_update(
    kind: str, matrix: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    family: Family = request.getfixturevalue(kind)
    facts = safe_lora(
        family.tuned, family.base, family.pretrained, spec(layers=3, matrix=matrix, rank=4), tmp_path / "out"
    )
    prefix, turn = ("transformer.", True) if kind == "gpt2" else ("model.", False)
    assert len(facts["projected"]) == 3
    assert len(facts["cosines"]) == (8 if turn else 14)  # every linear layer of two blocks, not the output layer
    pretrained, base, tuned, last = map(weights, (family.pretrained, family.base, family.tuned, tmp_path / "out"))
    for name in tuned:
        if name.removeprefix(prefix) not in facts["projected"]:
            assert torch.equal(last[name], tuned[name])
            continue
        v, d = ((a - b).T if turn else a - b for a, b in ((base[name], pretrained[name]), (tuned[name], base[name])))
        part = published(v, d) if matrix == "published" else projected(v, d, 4)
        assert torch.allclose(last[name], base[name] + (part.T if turn else part), atol=1e-5)


def test_what_neither_alignment_nor_tuning_moved_is_left_and_said(family: Family, tmp_path: Path) -> None:
    facts = safe_lora(family.tuned, family.base, family.base, spec(threshold=1), tmp_path / "out")
    assert facts["projected"] == []
    assert len(facts["unchanged_by_alignment_or_tuning"]) == 14
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == (family.tuned / "model.safetensors").read_bytes()
