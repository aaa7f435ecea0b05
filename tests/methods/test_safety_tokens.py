"""The safety vector: of planted means, of two models, and through its file."""

from pathlib import Path

import pytest
import torch

from safety_assets.methods.anatomy import describe
from safety_assets.methods.anatomy_files import read_anatomy, write_anatomy
from safety_assets.methods.safety_tokens import read_safety_vector, safety_vector
from safety_assets.models.load import LoadedModel, load_model


def refusals() -> list:
    said = ("unsafe dog", "unsafe cat", "unsafe form", "unsafe hill and more")
    return [
        [{"role": "user", "content": asked}, {"role": "assistant", "content": "I cannot help with that"}]
        for asked in said
    ]


@pytest.fixture
def models(tiny_model: Path) -> tuple[LoadedModel, LoadedModel]:
    base, ancestor = load_model(tiny_model), load_model(tiny_model)
    with torch.no_grad():
        ancestor.model.model.norm.weight.mul_(0.1)
    return base, ancestor


def test_of_the_likeliest_tokens_the_shift_is_standardised_and_of_length_one() -> None:
    likelihood = torch.tensor([0.5, 0.01, 0.3, 0.2, 0.02])
    shift = torch.tensor([0.4, 0.9, -0.1, 0.0, -0.9])
    vector = safety_vector(shift, likelihood, top=3)
    assert vector.nonzero().flatten().tolist() == [0, 2]  # token 3 is likely and did not shift
    assert vector.norm().item() == pytest.approx(1.0)
    assert vector[0].item() == pytest.approx(2**-0.5)
    assert vector[2].item() == pytest.approx(-(2**-0.5))


def test_where_nothing_shifts_there_is_no_vector() -> None:
    assert not safety_vector(torch.zeros(9), torch.full((9,), 0.1), top=4).any()


def test_it_is_the_mean_over_positions_then_over_refusals(models: tuple) -> None:
    """A long refusal counts as much as a short one, and tokens of the prompt count nothing."""
    from safety_assets.methods.safety_tokens import _last_answer, _per_row
    from safety_assets.models.chat import encode_chat

    base, _ = models
    short, long = refusals()[0], refusals()[3]
    rows = [_last_answer(encode_chat(base.tokenizer, chat)) for chat in (short, long)]
    together = _per_row(base, rows)
    alone = torch.cat([_per_row(base, [row]) for row in rows])
    assert torch.allclose(together, alone, atol=1e-6)
    assert together.sum(-1).tolist() == pytest.approx([1.0, 1.0], rel=1e-5)


def test_only_the_last_answer_is_read(models: tuple) -> None:
    base, ancestor = models
    before = [{"role": "user", "content": "open"}, {"role": "assistant", "content": "green hill"}]
    from safety_assets.methods.safety_tokens import FIRST_TOKENS, _last_answer
    from safety_assets.models.chat import encode_chat

    own = _last_answer(encode_chat(base.tokenizer, before + refusals()[0]))
    said = base.tokenizer.decode([i for i, counts in zip(own.ids, own.response, strict=True) if counts])
    assert said == "I cannot help with that</s>"
    wordy = [before[0], {"role": "assistant", "content": "dog cat " * 100}]
    assert sum(_last_answer(encode_chat(base.tokenizer, wordy)).response) == FIRST_TOKENS
    assert read_safety_vector(base, base, refusals()).any().item() is False
    assert read_safety_vector(base, ancestor, refusals()).norm().item() == pytest.approx(1.0, rel=1e-5)


def test_it_goes_through_the_file_and_an_older_file_has_none(models: tuple, tmp_path: Path) -> None:
    base, ancestor = models
    prompts = [chat[:1] for chat in refusals()]
    anatomy = describe(base, ancestor, prompts, prompts[::-1], refusals())
    write_anatomy(tmp_path, anatomy)
    assert torch.equal(read_anatomy(tmp_path).safety_vector, anatomy.safety_vector)
    older = describe(base, None, prompts, prompts[::-1], refusals())
    assert older.safety_vector is None
    write_anatomy(tmp_path, older)
    assert read_anatomy(tmp_path).safety_vector is None
