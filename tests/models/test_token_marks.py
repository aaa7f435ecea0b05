"""Spans of characters as marks of tokens: by a fast tokenizer, by decoding, and where neither can be trusted."""

from pathlib import Path

import pytest
import torch

from safety_assets.errors import ModelError
from safety_assets.models import marks
from safety_assets.models.batch import pad_right
from safety_assets.models.chat import Encoded, encode_chat
from safety_assets.models.load import load_model
from safety_assets.models.marks import mark_tokens

ANSWER = "I cannot help with that request because it is unsafe."
SPANS = [
    {"turn": 1, "start": 2, "end": 13, "kind": "refusal"},
    {"turn": 1, "start": 9, "end": 23, "kind": "privacy"},
    {"turn": 3, "start": 0, "end": 3, "kind": "hedge"},
    {"turn": 0, "start": 0, "end": 3, "kind": "hedge"},
]
CHAT = [
    {"role": "user", "content": "cannot help"},
    {"role": "assistant", "content": ANSWER},
    {"role": "user", "content": "What is 7 plus 5?"},
    {"role": "assistant", "content": "The answer is 12."},
]


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path):
    return load_model(tiny_model).tokenizer


def words(tokenizer, encoded: Encoded, found: bytes, bit: int) -> str:
    return tokenizer.decode([i for i, own in zip(encoded.ids, found, strict=True) if own & bit])


@pytest.mark.parametrize("fast", [True, False])
def test_marks_are_on_the_tokens_of_the_span(tokenizer, monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    if not fast:
        monkeypatch.setattr(marks, "_offsets", lambda *given: None)
    encoded = encode_chat(tokenizer, CHAT)
    found = mark_tokens(tokenizer, CHAT, encoded, SPANS)
    assert len(found) == len(encoded.ids)
    assert words(tokenizer, encoded, found, marks.MARKS["refusal"]).strip() == "cannot help"
    assert words(tokenizer, encoded, found, marks.MARKS["privacy"]).strip() == "help with that"
    assert words(tokenizer, encoded, found, marks.MARKS["hedge"]).strip() == "The"
    assert any(own == 5 for own in found)
    assert all(said or not own for said, own in zip(encoded.response, found, strict=True))


@pytest.mark.parametrize("text", ["  padded  ", "naïve “quotes” and 😀 cannot 😀", "twice twice", "zażółć"])
def test_both_ways_agree_on_any_text(tokenizer, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    chat = [{"role": "user", "content": text}, {"role": "assistant", "content": text}]
    encoded = encode_chat(tokenizer, chat)
    spans = [{"turn": 1, "start": 0, "end": len(text), "kind": "hedge"}]
    by_offsets = mark_tokens(tokenizer, chat, encoded, spans)
    monkeypatch.setattr(marks, "_offsets", lambda *given: None)
    assert mark_tokens(tokenizer, chat, encoded, spans) == by_offsets
    assert words(tokenizer, encoded, by_offsets, 2).strip() == text.strip()


def test_a_template_that_strips_is_followed(tokenizer) -> None:
    bare = type(tokenizer)(tokenizer_object=tokenizer.backend_tokenizer, pad_token="<pad>", eos_token="</s>")
    bare.chat_template = tokenizer.chat_template.replace("m['content']", "m['content'].strip()")
    chat = [{"role": "user", "content": "x"}, {"role": "assistant", "content": f"   {ANSWER}"}]
    encoded = encode_chat(bare, chat)
    spans = [{"turn": 1, "start": 5, "end": 11, "kind": "refusal"}]
    assert words(bare, encoded, mark_tokens(bare, chat, encoded, spans), 1).strip() == "cannot"


def test_a_template_that_rewrites_answers_is_refused_in_words(tokenizer) -> None:
    encoded = encode_chat(tokenizer, CHAT)
    other = [*CHAT[:3], {"role": "assistant", "content": "Something else."}]
    with pytest.raises(ModelError, match="not what its tokens say"):
        mark_tokens(tokenizer, other, encoded, SPANS)
    with pytest.raises(ModelError, match="2 answers and 1 stretches"):
        mark_tokens(tokenizer, CHAT, Encoded([1, 2], [False, True]), SPANS)
    with pytest.raises(ModelError, match="kind odd"):
        mark_tokens(tokenizer, CHAT, encoded, [{**SPANS[0], "kind": "odd"}])


def test_a_batch_carries_them_to_its_targets_and_none_where_there_is_none() -> None:
    device = torch.device("cpu")
    rows = [Encoded([5, 6, 7, 8], [False, True, True, True], 1.0, b"\0\1\0\4"), Encoded([5, 6], [False, True])]
    batch = pad_right(rows, 0, device)
    assert batch.marks.dtype == torch.uint8
    assert batch.target_marks.tolist() == [1, 0, 4, 0]
    plain = pad_right(rows[1:], 0, device)
    assert plain.marks is None
    assert plain.target_marks.tolist() == [0]
    assert pad_right([Encoded([5, 6], [False, True], 1.0, b"\0\0")], 0, device).marks is None
