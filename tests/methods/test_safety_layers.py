"""The two steps of the localisation on planted states, and that scaling leaves nothing behind."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from safety_assets.methods import structure
from safety_assets.methods.safety_layers import (
    angular_gap,
    layer_scores,
    locate,
    middle_band,
    refine,
    refusals_when_scaled,
    scaled,
    separated,
    spread,
)
from safety_assets.models.load import load_model

LAYERS, WIDTH = 12, 24
CHATS = [[{"role": "user", "content": f"unsafe {word}"}] for word in ("dog", "cat", "form", "hill")]


def planted(kind: str, begins: int, ends: int) -> Tensor:
    """States that share a direction; malicious ones turn away from it between two layers."""
    generator = torch.Generator().manual_seed({"normal": 0, "malicious": 1}[kind])
    states = 0.3 * torch.randn(LAYERS, 40, WIDTH, generator=generator)
    states[:, :, 0] += 3
    if kind == "malicious":
        for layer in range(LAYERS):
            states[layer, :, 1] += 3 * min(1.0, max(0.0, (layer - begins + 1) / (ends - begins + 1)))
    return states


def counting(true: Sequence[int]) -> callable:
    """More refusals the more of the true layers are scaled up, fewer for every other one."""
    return lambda layers, factor: round(10 * (factor - 1) * 10 * (2 * len({*layers} & {*true}) - len(layers)))


def test_the_first_step_finds_where_states_part_and_stop_parting() -> None:
    found = locate(planted("normal", 4, 8), planted("malicious", 4, 8), None)
    assert found.found_by == "separation"
    assert found.layers[0] in (4, 5)
    assert found.layers[-1] >= 8
    assert found.gap[0] < found.noise * 3 < found.gap[8]


def test_the_second_step_moves_both_bounds() -> None:
    normal, malicious = planted("normal", 4, 8), planted("malicious", 4, 8)
    found = locate(normal, malicious, counting(range(3, 8)))
    assert (found.layers, found.found_by) == (tuple(range(3, 8)), "localised")
    silent = locate(normal, malicious, lambda layers, factor: 7)
    assert silent == locate(normal, malicious, None)  # counts that never change say nothing


def test_without_separation_it_is_the_middle_band() -> None:
    alike = [planted("normal", 0, 0), 0.3 * torch.randn(LAYERS, 40, WIDTH, generator=torch.Generator().manual_seed(5))]
    alike[1][:, :, 0] += 3
    found = locate(*alike, counting(range(3, 8)))
    assert (found.layers, found.found_by) == ((4, 5, 6, 7), "middle band")
    assert middle_band(32) == tuple(range(12, 20))
    assert middle_band(6) == (2, 3)
    assert middle_band(1) == (0,)


def test_lengths_of_states_do_not_matter() -> None:
    normal, malicious = planted("normal", 4, 8), planted("malicious", 4, 8)
    one, other = locate(normal, malicious, None), locate(7 * normal, 7 * malicious, None)
    assert one.layers == other.layers
    assert one.gap == pytest.approx(other.gap)
    half = angular_gap(normal, 0.5 * malicious, np.random.default_rng(0))
    assert torch.allclose(half, angular_gap(normal, malicious, np.random.default_rng(0)))


def test_bounds_of_the_gap() -> None:
    assert separated([0.0, 0.01, 0.3, 0.5, 0.4], 0.02) == (2, 3)
    assert separated([0.01, 0.02, 0.01], 0.05) is None
    assert separated([-0.2, -0.1], 0.0) is None


def test_equal_counts_keep_the_nearest_bound() -> None:
    assert refine(3, 6, 12, lambda layers: 1) is None
    assert refine(3, 6, 12, lambda layers: len({*layers} & {2, 3, 4}) - len({*layers} & {5, 6})) == (2, 4)


def test_single_layers_score_with_their_sign() -> None:
    def count(layers: Sequence[int], factor: float) -> int:
        effect = {1: 1, 3: -1}.get(layers[0], 0)
        return 50 + round(100 * effect * (factor - 1))

    assert layer_scores(5, count) == pytest.approx((0, 200, 0, -200, 0))


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_scaling_is_scaling_the_weights_and_leaves_nothing(kind: str, tiny_model: Path, tiny_tokenizer) -> None:
    if kind == "llama":
        model = load_model(tiny_model, device="cpu").model
    else:
        from transformers import GPT2Config, GPT2LMHeadModel

        ids = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
        config = GPT2Config(vocab_size=len(tiny_tokenizer), n_positions=64, n_embd=16, n_layer=2, n_head=2, **ids)
        model = GPT2LMHeadModel(config).eval()
    ids = torch.arange(5, 12)[None]
    with torch.no_grad():
        before = model(input_ids=ids).logits
        with scaled(model, [1], 1.3):
            inside = model(input_ids=ids).logits
        assert torch.equal(model(input_ids=ids).logits, before)
        assert not torch.allclose(inside, before)
        for name, parameter in structure.layers(model)[1].named_parameters():
            if parameter.dim() == 2 and "norm" not in name:
                parameter.mul_(1.3)
        assert torch.allclose(model(input_ids=ids).logits, inside, atol=1e-5)


def test_refusals_are_counted_from_short_answers(tiny_model: Path) -> None:
    loaded = load_model(tiny_model, device="cpu")
    count = refusals_when_scaled(loaded, CHATS)
    assert 0 <= count([0], 1.1) <= len(CHATS)
    assert spread(CHATS, 2) == [CHATS[0], CHATS[2]]
