"""Drift: the base itself has none, a model whose states collapsed has all of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from safety_assets.errors import ModelError
from safety_assets.methods.anatomy import describe
from safety_assets.methods.anatomy_files import read_anatomy, write_anatomy
from safety_assets.methods.drift import drift
from safety_assets.models.load import load_model

REFUSED = [[{"role": "user", "content": f"unsafe {word}"}] for word in ("dog", "cat", "form", "hill and more")]
COMPLIED = [[{"role": "user", "content": f"green {word}"}] for word in ("dog", "cat", "form", "hill and more")]


@pytest.fixture(scope="module")
def models(tiny_model: Path) -> tuple:
    base, ancestor = load_model(tiny_model, device="cpu"), load_model(tiny_model, device="cpu")
    with torch.no_grad():
        ancestor.model.model.norm.weight.mul_(0.1)
    return base, describe(base, ancestor, REFUSED, COMPLIED, alike=REFUSED)


def test_the_base_is_where_it_was_also_after_reading_the_files(models: tuple, tmp_path: Path) -> None:
    base, anatomy = models
    write_anatomy(tmp_path, anatomy)
    read = read_anatomy(tmp_path)
    assert replace(read, directions=anatomy.directions) == anatomy
    assert torch.equal(read.directions, anatomy.directions)
    found = drift(read, base, REFUSED[::-1], COMPLIED)
    assert found.separation_kept == pytest.approx(1, abs=1e-5)
    assert found.direction_cosine == pytest.approx(1, abs=1e-5)
    assert found.token_mass_shift == pytest.approx(0, abs=1e-6)


def test_another_model_is_further_away(models: tuple, tiny_model: Path) -> None:
    _, anatomy = models
    other = load_model(tiny_model, device="cpu")
    with torch.no_grad():
        for parameter in other.model.model.layers.parameters():
            if parameter.dim() == 2:
                parameter.copy_(parameter.flip(0))
        other.model.model.norm.weight.mul_(0.1)
    found = drift(anatomy, other, REFUSED, COMPLIED)
    assert found.direction_cosine < 0.9
    assert found.token_mass_shift < 0


def test_an_anatomy_of_another_model_is_refused(models: tuple) -> None:
    base, anatomy = models
    with pytest.raises(ModelError, match="architecture"):
        drift(replace(anatomy, directions=anatomy.directions[:, :16]), base, REFUSED, COMPLIED)
    with pytest.raises(ModelError, match="safety_anatomy"):
        drift(replace(anatomy, projections=()), base, REFUSED, COMPLIED)  # written by older code
