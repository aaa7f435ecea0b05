"""LoX: the spectrum it promises, and what it leaves alone."""

from pathlib import Path

import pytest
import torch
from model_family import Family, weights

from safety_assets.errors import ModelError
from safety_assets.repair_specs import LowRankExtrapolation
from safety_assets.repairs.low_rank import leading
from safety_assets.repairs.lox import extrapolated, kept_share, lox

RANK, ALPHA = 3, 1.25


def spec(**knobs: object) -> LowRankExtrapolation:
    return LowRankExtrapolation(repair="lox", **({"rank": RANK, "strength": ALPHA} | knobs))


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_leading_singular_values_grow_and_the_others_stay() -> None:
    pretrained, aligned = random(12, 8), random(12, 8, seed=1)
    before = torch.linalg.svdvals(aligned - pretrained)
    moved, directions = extrapolated(aligned, aligned - pretrained, RANK, ALPHA)
    after = torch.linalg.svdvals(moved - pretrained)
    assert torch.allclose(after[:RANK], (1 + ALPHA) * before[:RANK])
    assert torch.allclose(after[RANK:], before[RANK:])
    assert torch.linalg.matrix_rank(moved - aligned) == RANK
    assert directions is not None
    assert torch.allclose(moved - aligned, directions @ (directions.T @ (moved - aligned)))  # nothing outside them


def test_all_directions_with_rank_0() -> None:
    pretrained, aligned = random(6, 8), random(6, 8, seed=1)
    moved, directions = extrapolated(aligned, aligned - pretrained, 0, 0.5)
    assert directions is None
    assert torch.equal(moved, aligned + 0.5 * (aligned - pretrained))


def test_a_large_matrix_is_decomposed_by_sampling_and_alike_every_time() -> None:
    u, v = random(1100, 4).float(), random(1200, 4, seed=1).float()
    matrix = u @ v.T + 0.01 * random(1100, 1200, seed=2).float()
    state = torch.get_rng_state()
    one, two = leading(matrix, 4), leading(matrix, 4)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    exact = torch.linalg.svdvals(matrix)[:4]
    assert torch.allclose(one[1], exact, rtol=1e-4)


def test_kept_share_is_all_inside_and_none_outside() -> None:
    directions = torch.eye(6, dtype=torch.float64)[:, :2]
    inside, outside = random(6, 4), random(6, 4)
    inside[2:], outside[:2] = 0, 0
    assert kept_share(inside, directions) == pytest.approx(1)
    assert kept_share(outside, directions) == pytest.approx(0)
    assert kept_share(torch.zeros(6, 4, dtype=torch.float64), directions) is None


@pytest.mark.parametrize("before_training", [True, False])
def test_matrices_move_within_their_rank_and_vectors_stay(
    family: Family, tmp_path: Path, before_training: bool
) -> None:
    start = family.base if before_training else family.tuned
    facts = lox(start, family.base, family.pretrained, spec(), tmp_path / "out")
    first, last = weights(start), weights(tmp_path / "out")
    assert first.keys() == last.keys()
    matrices = [name for name in first if first[name].dim() == 2]
    for name in first:
        if name in matrices:
            assert torch.linalg.matrix_rank(last[name] - first[name], rtol=1e-3) == RANK, name
        else:
            assert torch.equal(last[name], first[name])
    assert facts["matrices"] == len(matrices)
    assert 0.9 < facts["kept_before"] <= 1
    assert (facts["kept_after"] == pytest.approx(facts["kept_before"])) is before_training


def test_strength_0_is_the_tuned_model_to_the_bit(family: Family, tmp_path: Path) -> None:
    lox(family.tuned, family.base, family.pretrained, spec(strength=0), tmp_path / "out")
    before, after = ((folder / "model.safetensors").read_bytes() for folder in (family.tuned, tmp_path / "out"))
    assert before == after


def test_bf16_weights_are_subtracted_in_fp32(family: Family, tmp_path: Path, stored_as) -> None:
    base, pretrained = stored_as(family.base, torch.bfloat16), stored_as(family.pretrained, torch.bfloat16)
    lox(base, base, pretrained, spec(rank=0, strength=1), tmp_path / "out")
    first, ancestor, last = weights(base), weights(pretrained), weights(tmp_path / "out")
    name = "model.layers.0.mlp.up_proj.weight"
    exact = 2 * first[name].float() - ancestor[name].float()
    assert last[name].dtype == torch.bfloat16
    assert torch.equal(last[name], exact.to(torch.bfloat16))
    assert not torch.equal(last[name], first[name] + (first[name] - ancestor[name]))  # what bf16 alone would give


def test_a_model_of_another_shape_is_refused_in_words(family: Family, gpt2: Family, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.|embed_tokens|absent"):
        lox(family.tuned, family.base, gpt2.pretrained, spec(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
