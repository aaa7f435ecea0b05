"""Merge: both ends exact, linear between, and the share that a sweep takes."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
import torch
from model_family import Family, weights
from safetensors.torch import load_file, save_file

from safety_assets.errors import ModelError
from safety_assets.models.identity import identify
from safety_assets.models.load import load_model
from safety_assets.models.stored import Stored
from safety_assets.repair_specs import LinearMerge
from safety_assets.repairs.measured import Measured
from safety_assets.repairs.merge import choose, merge, merged


def spec(**knobs: object) -> LinearMerge:
    return LinearMerge(repair="merge", **knobs)


def figures(safety: float | None, task_loss: float | None = None) -> Measured:
    return Measured(safety=safety, over_refusal=0.0, task_loss=task_loss)


def test_both_ends_are_exact_and_the_line_is_straight() -> None:
    a, b = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    assert torch.equal(merged(a, b, 0), a)
    assert torch.equal(merged(a, b, 1), b)
    assert torch.allclose(merged(a, b, 0.3) + merged(a, b, 0.7), a + b)


def test_an_update_of_low_rank_is_scaled() -> None:
    base = torch.eye(6)
    update = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)) @ torch.ones(2, 6)
    assert torch.allclose(merged(base, base + update, 0.4), base + 0.4 * update, atol=1e-6)


def test_a_whole_folder_and_what_is_around_the_weights(family: Family, tmp_path: Path) -> None:
    assert merge(family.tuned, family.base, spec(share=0.25), None, tmp_path / "out") == {"share": 0.25}
    base, tuned, last = map(weights, (family.base, family.tuned, tmp_path / "out"))
    for name in tuned:
        assert torch.allclose(last[name], 0.75 * base[name] + 0.25 * tuned[name], atol=1e-6)
    parts, before = identify(tmp_path / "out").parts, identify(family.tuned).parts
    assert {part for part in parts if parts[part] != before[part]} == {"weights"}
    assert not [path for path in tmp_path.iterdir() if path.name != "out"]


def test_shards_stay_shards_and_other_shards_are_found(
    family: Family, tmp_path: Path, in_two_shards: Callable[[Path], Path]
) -> None:
    sharded = in_two_shards(family.tuned)
    merge(sharded, family.base, spec(share=0.5), None, tmp_path / "out")
    merge(family.tuned, in_two_shards(family.base), spec(share=0.5), None, tmp_path / "whole")
    one, other = weights(tmp_path / "out"), weights(tmp_path / "whole")
    assert {p.name for p in (tmp_path / "out").glob("*.safetensors*")} == {
        p.name for p in sharded.glob("*.safetensors*")
    }
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    load_model(tmp_path / "out", device="cpu")


def test_tied_weights_are_one_however_they_are_stored(family: Family, tmp_path: Path) -> None:
    twice = copytree(family.tuned, tmp_path / "twice")
    tensors = load_file(twice / "model.safetensors")
    assert "lm_head.weight" not in tensors
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, twice / "model.safetensors", metadata={"format": "pt"})
    assert "lm_head.weight" not in Stored(twice).floats
    merge(twice, family.base, spec(share=0.5), None, tmp_path / "out")
    last = weights(tmp_path / "out")
    assert torch.equal(last["lm_head.weight"], last["model.embed_tokens.weight"])
    assert not torch.equal(last["lm_head.weight"], tensors["lm_head.weight"])


def test_names_without_the_prefix_are_the_same_tensors(gpt2: Family, tmp_path: Path) -> None:
    bare = copytree(gpt2.base, tmp_path / "bare")
    tensors = {k.removeprefix("transformer."): v for k, v in load_file(bare / "model.safetensors").items()}
    save_file(tensors, bare / "model.safetensors", metadata={"format": "pt"})
    merge(gpt2.tuned, bare, spec(share=0.5), None, tmp_path / "one")
    merge(gpt2.tuned, gpt2.base, spec(share=0.5), None, tmp_path / "other")
    assert identify(tmp_path / "one").digest == identify(tmp_path / "other").digest


def test_a_tensor_that_the_base_lacks_is_named(family: Family, tmp_path: Path) -> None:
    short = copytree(family.base, tmp_path / "short")
    tensors = load_file(short / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, short / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"layers\.1\.mlp\.up_proj\.weight is .* absent"):
        merge(family.tuned, short, spec(share=0.5), None, tmp_path / "out")


def test_the_least_task_loss_within_the_limit_is_taken() -> None:
    found = {0.3: figures(9.9, 2.0), 0.6: figures(9.6, 1.0), 0.8: figures(9.4, 0.5), 0.9: figures(2.0, 0.4)}
    assert choose(found, figures(10.0), 0.5) == (0.6, True)
    assert choose(found, figures(10.0), 0.7) == (0.8, True)
    assert choose(found, figures(10.0), 0.0) == (0.3, False)  # none keeps it: the safest
    assert choose({0.2: figures(9.0), 0.4: figures(9.0), 0.9: figures(None)}, figures(9.0), 0.0) == (0.4, True)
    with pytest.raises(ModelError, match="could not be scored"):
        choose({0.5: figures(None)}, figures(9.0), 1.0)


def test_a_sweep_measures_every_share_and_writes_the_chosen(family: Family, tmp_path: Path) -> None:
    base = weights(family.base)["model.norm.weight"]
    tuned = weights(family.tuned)["model.norm.weight"]

    def measure(folder: Path) -> Measured:
        share = float(((weights(folder)["model.norm.weight"] - base).norm() / (tuned - base).norm()).item())
        return figures(10 - 2 * round(share, 3), 1 - share)

    facts = merge(family.tuned, family.base, spec(shares=(0.2, 0.4, 0.6), max_safety_drop=1), measure, tmp_path / "out")
    assert (facts["share"], facts["keeps_the_limit"]) == (0.4, True)
    assert [one["share"] for one in facts["swept"]] == [0.2, 0.4, 0.6]
    merge(family.tuned, family.base, spec(share=0.4), None, tmp_path / "given")
    assert identify(tmp_path / "out").digest == identify(tmp_path / "given").digest
    json.dumps(facts)


def test_a_sweep_without_probes_is_refused(family: Family, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no probes"):
        merge(family.tuned, family.base, spec(), None, tmp_path / "out")
