"""The loss on rows that are answered without training."""

import math
from pathlib import Path

import pytest
import torch

from safety_assets.models.batch import pad_right, response_loss
from safety_assets.models.chat import encode_chat
from safety_assets.models.load import load_model
from safety_assets.records import AUDITED
from safety_assets.training.held_out import mean_loss

CHATS = [
    [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": "The answer is 12." * n}]
    for n in (1, 2, 3)
]


def rows(split: str = "held_out"):
    return AUDITED.frame([
        {"row_id": f"{i:016x}", "messages": chat, "origin": "corpus", "group": str(i), "split": split}
        for i, chat in enumerate(CHATS)
    ])  # fmt: skip


def test_it_is_the_mean_over_all_answer_tokens(tiny_model: Path) -> None:
    loaded = load_model(tiny_model, device="cpu")
    alone = [pad_right([encode_chat(loaded.tokenizer, chat)], 0, loaded.device) for chat in CHATS]
    with torch.no_grad():
        total = sum(float(response_loss(loaded.model, batch)) for batch in alone)
    expected = total / sum(batch.num_responses for batch in alone)
    assert mean_loss(loaded, rows(), max_tokens=200) == pytest.approx(expected, rel=1e-5)
    assert 0 < expected < 2 * math.log(len(loaded.tokenizer))


def test_rows_that_are_too_long_are_left_out(tiny_model: Path) -> None:
    loaded = load_model(tiny_model, device="cpu")
    assert mean_loss(loaded, rows(), max_tokens=8) is None
    first = mean_loss(loaded, rows().head(1), max_tokens=200)
    assert first != mean_loss(loaded, rows(), max_tokens=200)
