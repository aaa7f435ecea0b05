"""What every method in the menu must keep, on a tiny model: add a recipe entry here when you add a method."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from short_training import audited, train_shortly

from safety_assets.errors import ModelError, TrainingError
from safety_assets.method_specs import MethodSpec
from safety_assets.methods.menu import build, build_all
from safety_assets.methods.moments import Method
from safety_assets.models.load import load_model
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.training.loop import run_steps
from safety_assets.training.run import Trained

ENTRIES = {
    "gradient_surgery": {"method": "gradient_surgery", "every": 2, "batch_rows": 4},
    "bottleneck": {"method": "bottleneck", "rank": 4, "depth": 1, "activation": "gelu"},
    "half_space": {"method": "half_space", "margin": 0.5, "reach": 10.0, "batch_rows": 2},
    "layer_freezing": {"method": "layer_freezing", "layers": [1]},
    "lora": {"method": "lora", "rank": 4, "dropout": 0.2},
    "replay": {"method": "replay", "every": 2, "batch_rows": 4},
    "kl_to_reference": {"method": "kl_to_reference", "strength": 0.5, "pairs_strength": 0.5, "every": 2},
    "ewc": {"method": "ewc", "strength": 50.0, "rows": 5},
    "constrained_tokens": {"method": "constrained_tokens", "beta_first": 2.0},
    "pact": {"method": "pact"},
    "dynamic_shaping": {"method": "dynamic_shaping", "bias": 20.0},
    "token_weights": {"method": "token_weights", "refusal": 3.0, "hedge": 0.0},
    "safety_recovery": {"method": "safety_recovery", "every": 2, "batch_rows": 3},
    "neuron_mask": {"method": "neuron_mask", "share": 0.2, "batch_rows": 3},
    "safety_probing": {"method": "safety_probing", "layers": [0, 1], "epsilon": 1e-2, "batch_rows": 3},
    "vulnerability_aware": {"method": "vulnerability_aware", "displaced": "always", "batch_rows": 2, "rho": 0.1},
    "weight_average": {"method": "weight_average", "retention": 0.3},
}
VARIANTS = {
    "gradient_surgery per tensor": ENTRIES["gradient_surgery"] | {"scope": "per_tensor"},
    "gradient_surgery of low rank": ENTRIES["gradient_surgery"] | {"scope": "low_rank", "rank": 2},
    "weight_average written back": {"method": "weight_average", "decay": 0.7, "mode": "write_back", "every": 2},
}
"""Entries of the same methods with other knobs."""

TOGETHER = [entry for name, entry in ENTRIES.items() if name not in ("neuron_mask", "bottleneck")]
"""One entry per method that can act beside the others."""
SPECS = {kind.model_fields["method"].annotation.__args__[0]: kind for kind in get_args(get_args(MethodSpec)[0])}
NEUTRAL = {name: kind.neutral for name, kind in SPECS.items() if not isinstance(kind.neutral, str)}
"""Knobs with which a method does nothing, as its spec declares them; a spec without any says why."""

EVERY = pytest.mark.parametrize("name", ENTRIES | VARIANTS)
WORDS = ("open", "account", "dog", "green", "hill", "unsafe", "form", "cat", "answer", "small")


def rows() -> pl.DataFrame:
    origins = ["corpus"] * 20 + ["refusal", "lookalike", "anchor"] * 4
    return AUDITED.frame([_row(i, origin) for i, origin in enumerate(origins)])


def _row(i: int, origin: str) -> dict:
    question = " ".join(WORDS[(i + k) % 10] for k in range(2 + i % 5))
    answer = {"role": "assistant", "content": WORDS[(3 * i) % 10]}
    chat = [{"role": "user", "content": question}, answer]
    return audited(i, origin, chat)


def entry_of(name: str) -> dict:
    return (ENTRIES | VARIANTS)[name]


def run(base: Path, folder: Path, *entries: dict, stop_after: int | None = None, **optimiser) -> Trained:
    settings = {"steps": 6, "batch_rows": 4} | optimiser
    return train_shortly(base, folder, rows(), methods=list(entries), optimiser=settings, stop_after=stop_after)


def weights(trained: Trained) -> dict:
    return load_file(trained.model / "model.safetensors")


def same(one: Trained, other: Trained) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


Whole = Callable[[str], Trained]


@pytest.fixture(scope="module")
def whole(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The uninterrupted training with an entry, or with none for `plain`; each is made once."""

    @cache
    def train_whole(name: str) -> Trained:
        entries = [] if name == "plain" else [entry_of(name)]
        return run(tiny_model, tmp_path_factory.mktemp("whole"), *entries)

    return train_whole


def test_every_method_of_the_recipes_is_here():
    assert set(SPECS) == set(ENTRIES)
    assert all(kind.neutral for kind in SPECS.values())


@EVERY
def test_it_changes_the_weights_and_leaves_a_model_that_loads(tiny_model: Path, whole: Whole, name: str):
    own = whole(name)
    assert not same(whole("plain"), own)
    assert load_model(own.model).digest != load_model(tiny_model).digest
    assert weights(own).keys() == load_file(tiny_model / "model.safetensors").keys()


@EVERY
def test_it_is_deterministic(tiny_model: Path, tmp_path: Path, whole: Whole, name: str):
    assert same(whole(name), run(tiny_model, tmp_path, entry_of(name)))


@pytest.mark.parametrize("name", NEUTRAL)
def test_with_its_neutral_knobs_it_is_plain_bit_by_bit(tiny_model: Path, tmp_path: Path, whole: Whole, name: str):
    assert same(whole("plain"), run(tiny_model, tmp_path, {**entry_of(name), **NEUTRAL[name]}))


def test_the_method_that_does_nothing_is_plain_bit_by_bit(
    tiny_model: Path, tmp_path: Path, whole: Whole, monkeypatch: pytest.MonkeyPatch
):
    plain = whole("plain")
    monkeypatch.setattr("safety_assets.training.opened.build_all", lambda specs: [Method()])
    assert same(plain, run(tiny_model, tmp_path))


@EVERY
@pytest.mark.parametrize("stop_after", [1, 4])
def test_resumed_is_uninterrupted(tiny_model: Path, tmp_path: Path, whole: Whole, name: str, stop_after: int):
    with pytest.raises(TrainingError, match=f"interrupted after step {stop_after} of 6"):
        run(tiny_model, tmp_path / "cut", entry_of(name), stop_after=stop_after)
    resumed = run(tiny_model, tmp_path / "cut", entry_of(name))
    assert same(whole(name), resumed)
    assert whole(name).history.equals(resumed.history)


@EVERY
def test_it_passes_as_often_as_it_declares(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    declared = build(SPECS[entry_of(name)["method"]].model_validate(entry_of(name)))
    steps = 6
    found = counted(tiny_model, tmp_path, monkeypatch, entry_of(name))
    expected = [sum(getattr(declared.passes(step), kind) for step in range(steps)) for kind in ("forward", "backward")]
    assert found == [steps + extra for extra in expected]


def counted(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *entries: dict) -> list[int]:
    """Forward and backward passes of a training, from its first step to its last, its setup not counted."""
    counts = [0, 0]
    backward = torch.Tensor.backward

    def through(model, *rest) -> None:
        counts[0] += torch.is_grad_enabled()

    def noted(job, progress):
        job.loaded.model.register_forward_hook(through)
        monkeypatch.setattr(torch.Tensor, "backward", lambda t, *a, **k: (count_backward(), backward(t, *a, **k))[1])
        return run_steps(job, progress)

    def count_backward() -> None:
        counts[1] += 1

    monkeypatch.setattr("safety_assets.training.run.run_steps", noted)
    run(base, folder, *entries)
    return counts


@EVERY
def test_accumulation_is_one_big_batch(tiny_model: Path, tmp_path: Path, whole: Whole, name: str):
    entry = entry_of(name) | ({"dropout": 0.0} if name == "lora" else {})
    big = weights(run(tiny_model, tmp_path / "whole", entry) if name == "lora" else whole(name))
    cut = weights(run(tiny_model, tmp_path / "cut", entry, micro_batch_rows=2))
    assert all(torch.allclose(big[k], cut[k], atol=2e-4) for k in big)


def test_lora_leaves_what_it_does_not_adapt_untouched(tiny_model: Path, tmp_path: Path):
    before, after = load_file(tiny_model / "model.safetensors"), weights(run(tiny_model, tmp_path, ENTRIES["lora"]))
    changed = {k for k in before if not torch.equal(before[k], after[k])}
    assert changed == {k for k in before if k.endswith("_proj.weight")}


def test_all_methods_together_train(tiny_model: Path, tmp_path: Path):
    together = run(tiny_model, tmp_path, *TOGETHER)
    assert together.history.filter(series="surgery/product").height == 3


def test_wrapping_comes_before_surgery_whatever_the_recipe_says():
    recipe = Recipe.model_validate(
        {"description": "x", "injection": "none", "optimiser": {"learning_rate": 1, "steps": 1},
         "methods": list(TOGETHER)}
    )  # fmt: skip
    acting = [type(m).__name__ for m in build_all(recipe.methods)]
    assert acting[:2] == ["LayerFreezing", "LoRA"]
    assert acting.index("SafeGrad") < acting.index("HalfSpace") < acting.index("WeightAverage")
    assert all(isinstance(build(spec), Method) for spec in recipe.methods)


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings")
@pytest.mark.parametrize("layer", ["lm_head", "embed_tokens"])
def test_lora_of_a_tied_weight_is_refused(tiny_model: Path, tmp_path: Path, layer: str):
    with pytest.raises(ModelError, match="one weight for both"):
        run(tiny_model, tmp_path, {"method": "lora", "layers": ["q_proj", layer]})
