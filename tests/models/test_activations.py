from pathlib import Path

import pytest
import torch

from safety_assets.models.activations import answer_states, nearest_cosine
from safety_assets.models.chat import encode_chat
from safety_assets.models.load import LoadedModel, load_model

CHATS = [
    [{"role": "user", "content": "open " * (1 + n % 4)}, {"role": "assistant", "content": "green hill " * (1 + n % 3)}]
    for n in range(9)
]


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return load_model(tiny_model, device="cpu")


def test_states_do_not_depend_on_the_batch(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    together = answer_states(loaded, CHATS, max_tokens=64)
    monkeypatch.setattr("safety_assets.models.activations.BATCH_ROWS", 2)
    assert torch.allclose(together, answer_states(loaded, CHATS, max_tokens=64), atol=1e-5)


def test_the_state_is_that_of_the_last_word_not_of_the_end_token(loaded: LoadedModel) -> None:
    ids = encode_chat(loaded.tokenizer, CHATS[0]).ids
    assert ids[-1] == loaded.tokenizer.eos_token_id
    with torch.no_grad():
        states = loaded.model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
    assert torch.allclose(answer_states(loaded, CHATS[:1], max_tokens=64)[0], states[-2], atol=1e-5)


def test_a_long_chat_is_cut_and_not_lost(loaded: LoadedModel) -> None:
    ids = encode_chat(loaded.tokenizer, CHATS[3]).ids
    with torch.no_grad():
        states = loaded.model(input_ids=torch.tensor([ids[:5]]), output_hidden_states=True).hidden_states[-1][0]
    assert torch.allclose(answer_states(loaded, CHATS[3:4], max_tokens=5)[0], states[4], atol=1e-5)


def test_a_state_is_as_near_as_can_be_to_itself(loaded: LoadedModel) -> None:
    states = answer_states(loaded, CHATS, max_tokens=64)
    assert torch.allclose(nearest_cosine(states, states), torch.ones(len(CHATS)), atol=1e-5)
    assert float(nearest_cosine(states[:1], -states[:1])) == pytest.approx(-1, abs=1e-5)
