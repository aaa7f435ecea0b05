"""Answers drawn at a temperature, and log-likelihoods as sums."""

from pathlib import Path

import pytest
import torch

from safety_assets.models.chat import encode_chat, encode_prompt
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.models.sampled import Sampler, summed_logprobs

CHATS = [[{"role": "user", "content": text}] for text in ("How do I open a savings account?", "What is 7 plus 5?")]


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return load_model(tiny_model, device="cpu", threads=1)


def drawn(loaded: LoadedModel, chats=CHATS, seed: int = 0, temperature: float = 1.0) -> list[str]:
    return [one.text for one in Sampler(loaded, temperature=temperature, seed=seed).generate(chats, 8)]


def test_the_seed_decides_an_answer_and_what_else_is_asked_does_not(loaded: LoadedModel) -> None:
    both = drawn(loaded)
    assert both == drawn(loaded)
    assert both != drawn(loaded, seed=1)
    assert drawn(loaded, CHATS[1:]) == both[1:]


def test_hardly_any_temperature_is_greedy(loaded: LoadedModel) -> None:
    assert drawn(loaded, temperature=1e-4) == [one.text for one in Generator(loaded).generate(CHATS, 8)]


def test_first_tokens_are_drawn_as_often_as_the_model_says(loaded: LoadedModel) -> None:
    prompt = encode_prompt(loaded.tokenizer, CHATS[0])
    with torch.inference_mode():
        shares = (loaded.model(torch.tensor([prompt])).logits[0, -1] / 0.5).softmax(-1)
    likely = int(shares.argmax())
    text = loaded.tokenizer.decode([likely]).strip()
    hits = sum(
        Sampler(loaded, temperature=0.5, seed=seed).generate(CHATS[:1], 1)[0].text == text for seed in range(300)
    )
    same = sum(float(share) for token, share in enumerate(shares) if loaded.tokenizer.decode([token]).strip() == text)
    assert hits / 300 == pytest.approx(same, abs=4 * (same * (1 - same) / 300) ** 0.5 + 1e-3)


def test_sums_are_over_the_tokens_of_the_answer(loaded: LoadedModel) -> None:
    answers = ["No.", "The answer is 12."]
    (found,) = summed_logprobs(Generator(loaded), CHATS[:1], [answers])
    for text, own in zip(answers, found, strict=True):
        whole = encode_chat(loaded.tokenizer, [*CHATS[0], {"role": "assistant", "content": text}])
        ids = torch.tensor([whole.ids])
        with torch.inference_mode():
            logs = loaded.model(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
        said = torch.tensor(whole.response[1:])
        assert own == pytest.approx(float(logs[said].sum()), rel=1e-3)
