from pathlib import Path

import pytest
import torch

from safety_assets.errors import ModelError
from safety_assets.methods.anatomy import area, describe, direction, separate
from safety_assets.models.activations import last_token_states
from safety_assets.models.load import load_model


def chats(*words: str) -> list:
    return [[{"role": "user", "content": word}] for word in words]


REFUSED = chats("unsafe dog", "unsafe cat", "unsafe form", "unsafe hill and more")
COMPLIED = chats("green dog", "green cat", "green form", "green hill and more")


def test_anatomy_of_a_model(tiny_model: Path):
    base = load_model(tiny_model)
    anatomy = describe(base, None, REFUSED, COMPLIED)
    assert anatomy.directions.shape == (2, 32)
    assert torch.allclose(anatomy.directions.norm(dim=-1), torch.ones(2))
    assert all(0.5 <= s <= 1 for s in anatomy.separation)
    assert anatomy.safety_tokens == ()
    assert anatomy.tokens_absent_because == "the project names no pretrained model"


def test_safety_tokens_need_an_ancestor_that_differs(tiny_model: Path):
    base, ancestor = load_model(tiny_model), load_model(tiny_model)
    assert describe(base, ancestor, REFUSED, COMPLIED).safety_tokens == ()
    with torch.no_grad():
        ancestor.model.model.norm.weight.mul_(0.1)
    anatomy = describe(base, ancestor, REFUSED, COMPLIED)
    shifts = [shift for _, shift in anatomy.safety_tokens]
    assert 0 < len(shifts) <= 20
    assert shifts == sorted(shifts, reverse=True)


def test_states_do_not_depend_on_order_or_padding(tiny_model: Path):
    base = load_model(tiny_model)
    together = last_token_states(base, REFUSED)
    alone = torch.cat([last_token_states(base, [chat]) for chat in REFUSED], dim=1)
    assert together.shape == (2, 4, 32)
    assert torch.allclose(together, alone, atol=1e-5)


def test_direction_and_separation_of_planted_states():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2, 40, 8, generator=generator) * 0.1
    shift = torch.zeros(8).index_fill(0, torch.tensor([3]), 1.0)
    assert direction(noise[0] + shift, noise[1])[3] > 0.99
    assert separate(noise[0] + shift, noise[1]) == 1.0
    assert separate(noise[0], noise[1]) < 0.75
    assert not direction(noise[:1, 0], noise[:1, 0]).any()


def test_area():
    assert area(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 1.0])) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


def test_too_few_prompts_are_refused(tiny_model: Path):
    with pytest.raises(ModelError, match="1 refused"):
        describe(load_model(tiny_model), None, REFUSED[:1], COMPLIED)
