from pathlib import Path

import pytest
import torch
from torch import Tensor

from safety_assets.methods import references
from safety_assets.methods.gradient_surgery import components, project, project_components, project_each
from safety_assets.methods.gradients import dot
from safety_assets.methods.references import forward_kl, keep_reference
from safety_assets.models.batch import pad_right, response_logits
from safety_assets.models.chat import encode_chat
from safety_assets.models.load import load_model
from safety_assets.training.view import compute_gradient


def pair(seed: int, conflict: bool) -> tuple[list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((3, 4), (5,), (2, 2, 2))
    task = [torch.randn(s, generator=generator) for s in shapes]
    safety = [torch.randn(s, generator=generator) for s in shapes]
    if (dot(task, safety) < 0) != conflict:
        safety = [-t for t in safety]
    return task, safety


SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("conflict", [True, False])
def test_edited_gradient_never_points_against_safety(seed: int, conflict: bool):
    task, safety = pair(seed, conflict)
    product = dot(project(task, safety, 0.0), safety)
    assert product == pytest.approx(0.0, abs=1e-5) if conflict else product >= 0


@pytest.mark.parametrize("seed", SEEDS)
def test_projection_never_lengthens(seed: int):
    task, safety = pair(seed, conflict=True)
    edited = project(task, safety, 0.0)
    assert dot(edited, edited) <= dot(task, task)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_conflict_nothing_changes(seed: int):
    task, safety = pair(seed, conflict=False)
    assert all(a is b for a, b in zip(project(task, safety, 0.0), task, strict=True))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("conflict", [True, False])
@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_product_with_safety(seed: int, conflict: bool, strength: float):
    task, safety = pair(seed, conflict)
    expected = max(dot(task, safety), 0.0) + strength * dot(safety, safety)
    assert dot(project(task, safety, strength), safety) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_projection_is_idempotent():
    task, safety = pair(0, conflict=True)
    once = project(task, safety, 0.0)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(project(once, safety, 0.0), once, strict=True))


@pytest.mark.parametrize("scale", [1e-3, 7.0])
def test_projection_does_not_depend_on_the_length_of_safety(scale: float):
    task, safety = pair(0, conflict=True)
    scaled = project(task, [scale * t for t in safety], 0.0)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(scaled, project(task, safety, 0.0), strict=True))


def test_conflict_is_judged_over_all_tensors_together():
    task, safety = [torch.tensor([1.0]), torch.tensor([3.0])], [torch.tensor([-1.0]), torch.tensor([1.0])]
    assert project(task, safety, 0.0)[0] is task[0]  # one tensor conflicts, the sum does not
    alone = project(task[:1], safety[:1], 0.0)
    assert alone[0] == 0


def test_no_safety_gradient_leaves_the_task_alone():
    task, safety = pair(0, conflict=True)
    zero = [torch.zeros_like(t) for t in safety]
    assert all(torch.equal(a, b) for a, b in zip(project(task, zero, 1.0), task, strict=True))


@pytest.mark.parametrize("whole", [16384, 100])
def test_at_the_base_the_divergence_and_its_gradient_are_zero(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, whole: int
):
    monkeypatch.setattr(references, "WHOLE_VOCABULARY", whole)
    monkeypatch.setattr(references, "TOP", 50)
    loaded = load_model(tiny_model)
    chat = [{"role": "user", "content": "open account"}, {"role": "assistant", "content": "green dog"}]
    batch = pad_right([encode_chat(loaded.tokenizer, chat)], 0, loaded.device)
    with torch.no_grad():
        reference = keep_reference(response_logits(loaded.model, batch), 1.0)
        assert float(forward_kl(reference, response_logits(loaded.model, batch), 1.0)) == pytest.approx(0, abs=1e-6)
    gradient = compute_gradient(loaded, lambda m, b: forward_kl(reference, response_logits(m, b), 1.0), batch)
    assert dot(gradient, gradient) < 1e-9
    assert all(p.grad is None for p in loaded.model.parameters())


def logits(vocab: int, seed: int = 0) -> Tensor:
    return torch.randn(5, vocab, generator=torch.Generator().manual_seed(seed))


def test_divergence_is_torchs_with_the_right_reduction():
    base, model = logits(9), logits(9, seed=1)
    expected = torch.nn.functional.kl_div(
        model.log_softmax(-1), base.log_softmax(-1), reduction="batchmean", log_target=True
    )
    assert forward_kl(keep_reference(base, 1.0), model, 1.0) == pytest.approx(float(expected), rel=1e-5)


def test_the_likeliest_tokens_bound_the_divergence_from_below(monkeypatch: pytest.MonkeyPatch):
    base, model = logits(90), logits(90, seed=1)
    whole = forward_kl(keep_reference(base, 1.0), model, 1.0)
    monkeypatch.setattr(references, "WHOLE_VOCABULARY", 10)
    monkeypatch.setattr(references, "TOP", 30)
    kept = keep_reference(base, 1.0)
    assert kept.logprobs.shape == (5, 31)
    assert 0 < forward_kl(kept, model, 1.0) <= whole


@pytest.mark.parametrize("seed", SEEDS)
def test_per_tensor_no_tensor_points_against_safety(seed: int):
    task, safety = pair(seed, conflict=True)
    edited = project_each(task, safety, 0.0)
    assert all(dot([e], [s]) >= -1e-5 for e, s in zip(edited, safety, strict=True))


def test_per_tensor_is_not_global():
    task, safety = [torch.tensor([1.0]), torch.tensor([3.0])], [torch.tensor([-1.0]), torch.tensor([1.0])]
    edited = project_each(task, safety, 0.0)
    assert edited[0] == 0
    assert edited[1] is task[1]
    assert project(task, safety, 0.0)[0] is task[0]


def matrices(seed: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=generator), torch.randn(rows, columns, generator=generator)


SIZES = pytest.mark.parametrize(("rows", "columns"), [(6, 4), (4, 9), (60, 50)])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("strength", [0.0, 0.5])
@SIZES
def test_no_component_of_safety_is_pointed_against(seed: int, strength: float, rows: int, columns: int):
    task, safety = matrices(seed, rows, columns)
    left, right = components(safety, 3)
    before = ((left.T @ task) * right.T).sum(1)
    after = ((left.T @ project_components(task, safety, strength, 3)) * right.T).sum(1)
    pull = strength * ((left.T @ safety) * right.T).sum(1)
    assert torch.allclose(after, before.clamp(min=0) + pull, atol=1e-4)
    assert bool((before < 0).any())


def test_of_full_rank_one_component_is_the_tensors_own_surgery():
    task, _ = matrices(0, 6, 4)
    safety = torch.outer(torch.arange(1.0, 7), torch.tensor([1.0, -2, 0, 1]))
    task = task - 2 * safety
    found, expected = project_components(task, safety, 0.0, 5), project([task], [safety], 0.0)[0]
    assert torch.allclose(found, expected, atol=1e-4)
    assert components(safety, 5)[0].shape == (6, 1)


def test_components_that_do_not_conflict_stay():
    _, safety = matrices(1, 6, 4)
    assert project_components(safety, safety, 0.0, 4) is safety
    zero = torch.zeros_like(safety)
    assert project_components(safety, zero, 1.0, 4).equal(safety)


def test_a_sketch_finds_the_largest_components_and_keeps_the_random_state():
    left, _, right = torch.linalg.svd(torch.randn(80, 60, generator=torch.Generator().manual_seed(0)))
    sizes = torch.tensor([9.0, 5.0, 3.0] + [0.01] * 57)
    matrix = left[:, :60] * sizes @ right
    state = torch.get_rng_state()
    found, _ = components(matrix, 3)
    assert torch.get_rng_state().equal(state)
    assert torch.allclose((found.T @ left[:, :3]).abs(), torch.eye(3), atol=1e-3)


def test_whatever_is_no_matrix_is_one_component():
    task, safety = torch.tensor([1.0, -1.0]), torch.tensor([0.0, 1.0])
    assert project_components(task, safety, 0.0, 3).equal(torch.tensor([1.0, 0.0]))
