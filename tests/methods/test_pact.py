"""PACT: the algebra of its term, the gate, the context without the prompt, and what it asks of the anatomy."""

from pathlib import Path

import pytest
import torch
from opened_run import finished, opened
from torch import Tensor

from safety_assets.errors import ModelError, TrainingError
from safety_assets.methods.anatomy import Anatomy
from safety_assets.methods.anatomy_files import write_anatomy
from safety_assets.methods.pact import gate, spread, tilted_kl, without_prompt
from safety_assets.models.chat import answer_opening
from safety_assets.models.load import load_model

LEAN = torch.tensor([0.4, 0.0, 0.1, 0.9, 0.0])


def logits(seed: int, count: int = 6) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))


def test_at_the_base_with_one_weight_for_all_it_is_nothing() -> None:
    assert torch.allclose(tilted_kl(logits(0), logits(0), torch.full((5,), 0.3)), torch.zeros(6), atol=1e-5)


def test_at_the_base_it_is_the_closed_form_and_above_nothing() -> None:
    p = (logits(0) / 2).softmax(-1)
    share = (p * LEAN).sum(-1)
    q = p * LEAN / share[:, None]
    expected = 4 * (torch.xlogy(q, LEAN).sum(-1) - share.log())
    found = tilted_kl(logits(0), logits(0), LEAN)
    assert torch.allclose(found, expected, atol=1e-5)
    assert (found > 0).all()


def test_only_ratios_inside_the_safety_tokens_count() -> None:
    student = logits(1)
    assert torch.allclose(tilted_kl(student + 3.7, logits(0), LEAN), tilted_kl(student, logits(0), LEAN), atol=1e-5)


def test_its_gradient_is_finite_and_moves_mass_to_what_is_leaned_to() -> None:
    student = logits(1).requires_grad_()
    tilted_kl(student, logits(0), LEAN).sum().backward()
    assert torch.isfinite(student.grad).all()
    assert (student.grad[:, LEAN == 0] > 0).all()
    assert tilted_kl(student[:0], logits(0)[:0], LEAN).sum().item() == 0.0


def test_spread_counts_the_tokens_that_hold_most_mass() -> None:
    shares = torch.tensor([[0.91, 0.03, 0.03, 0.02, 0.01], [0.2, 0.2, 0.2, 0.2, 0.2], [0.5, 0.39, 0.08, 0.02, 0.01]])
    assert spread(shares.log()).tolist() == pytest.approx([0.2, 1.0, 0.6])


def test_the_gate_is_half_open_in_a_tie_and_closes_behind_the_first_tokens() -> None:
    same = gate(logits(0), logits(0), torch.tensor([0, 7, 8, 16, 24, 80]))
    e = torch.e
    assert same.tolist() == pytest.approx([0.5, 0.5, 0.5, 0.5 / e, 0.5 / e**2, 0.5 / e**9], rel=1e-4)
    unsure, sure = torch.zeros(1, 5), torch.tensor([[9.0, 0, 0, 0, 0]])
    depth = torch.zeros(1)
    assert gate(unsure, sure, depth) > 0.5 > gate(sure, unsure, depth)


def described(folder: Path, vector: Tensor | None, absent: str | None = None) -> Path:
    folder.mkdir(parents=True)
    write_anatomy(folder, Anatomy(torch.eye(2, 32), (0.9, 0.9), (0, 1), (), absent, 4, 4, vector))
    return folder


@pytest.fixture
def anatomy(tmp_path: Path) -> Path:
    vector = torch.zeros(340)
    vector[torch.arange(100, 105)] = LEAN - 0.3
    return described(tmp_path / "anatomy", vector)


def test_logits_outside_the_safety_tokens_change_nothing(tiny_model: Path, tmp_path: Path, anatomy: Path) -> None:
    run = opened(tiny_model, tmp_path, {"method": "pact", "strength": 2.0}, anatomy=anatomy)
    method, context = run.methods[0], run.contexts[0]
    batch = context.batch([0, 5, 9])
    base = context.reference(batch)
    moved, inside = base.clone(), base.clone()
    moved[:, :100] += 5 * torch.rand(len(base), 100, generator=torch.Generator().manual_seed(0))
    inside[:, 101] += 1.0
    term = float(method.add_loss(context, batch, base, 0))
    assert term > 0
    assert float(method.add_loss(context, batch, moved, 0)) == term
    assert float(method.add_loss(context, batch, inside, 0)) != pytest.approx(term, rel=1e-3)
    ((step, series, value),) = run.progress.history
    assert (step, series) == (1, "pact/at_base")
    assert value > 0


def test_asking_the_base_every_time_trains_to_the_same_loss(
    tiny_model: Path, tmp_path: Path, anatomy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"method": "pact"}
    kept = finished(opened(tiny_model, tmp_path / "kept", entry, anatomy=anatomy))
    monkeypatch.setattr("safety_assets.methods.kept.Kept.__init__.__kwdefaults__", {"bound": 0})
    asked = finished(opened(tiny_model, tmp_path / "asked", entry, anatomy=anatomy))
    assert asked.methods[0].passes(0).reference == 2
    losses = [[v for _, name, v in run.progress.history if name == "loss"] for run in (kept, asked)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_without_the_prompt_the_answers_stand_behind_the_opening_in_order(tiny_model: Path, tmp_path: Path) -> None:
    context = opened(tiny_model, tmp_path, {"method": "lora"}).contexts[0]
    opening = answer_opening(context.tokenizer)
    assert context.tokenizer.decode(opening) == "<s><|assistant|>"
    batch = context.batch([3, 0, 7])
    alone = without_prompt(batch, opening)
    assert torch.equal(alone.targets, batch.targets)
    assert torch.equal(alone.depth, batch.depth)
    assert alone.ids[:, : len(opening)].tolist() == [opening] * 3
    silent = type(batch)(batch.ids, torch.zeros_like(batch.response))
    assert without_prompt(silent, opening).num_responses == 0


def test_a_chat_of_two_answers_is_two_contexts(tiny_model: Path) -> None:
    from safety_assets.models.batch import pad_right
    from safety_assets.models.chat import encode_chat

    loaded = load_model(tiny_model)
    said = [("user", "open"), ("assistant", "green dog"), ("user", "hill"), ("assistant", "cat")]
    chat = [{"role": role, "content": content} for role, content in said]
    batch = pad_right([encode_chat(loaded.tokenizer, chat)], 0, loaded.device)
    alone = without_prompt(batch, answer_opening(loaded.tokenizer))
    assert alone.num_rows == 2
    assert torch.equal(alone.targets, batch.targets)


def test_a_template_that_opens_no_answer_is_refused(tiny_model: Path) -> None:
    tokenizer = load_model(tiny_model).tokenizer
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    with pytest.raises(ModelError, match="does not open an answer"):
        answer_opening(tokenizer)


def test_without_safety_tokens_it_is_refused_in_words(tiny_model: Path, tmp_path: Path) -> None:
    bare = described(tmp_path / "bare", None, "the project names no pretrained model")
    with pytest.raises(
        TrainingError, match=r"no safety tokens: the project names no pretrained model.*pretrained_model"
    ):
        opened(tiny_model, tmp_path, {"method": "pact"}, anatomy=bare)
