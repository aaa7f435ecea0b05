from pathlib import Path

import pytest

from safety_assets.errors import ModelError
from safety_assets.models.chat import encode_chat, encode_prompt
from safety_assets.models.load import load_model

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "How do I open a savings account?"},
    {"role": "assistant", "content": "Bring a passport."},
    {"role": "user", "content": "What is 7 plus 5?"},
    {"role": "assistant", "content": "The answer is 12."},
]
SPANS = (
    "<s>{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] + '</s>' }}{% endgeneration %}{% else %}{{ m['content'] }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
LAYOUT = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '</s>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
REWRITES = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% if m['role'] == 'assistant' and not loop.last %}"
    "{{ 'earlier' }}{% else %}{{ m['content'] }}{% endif %}{{ '</s>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@pytest.fixture
def tokenizer(tiny_model: Path):
    return load_model(tiny_model).tokenizer


def said(tokenizer, encoded) -> str:
    return tokenizer.decode([i for i, r in zip(encoded.ids, encoded.response, strict=True) if r])


def test_every_assistant_turn_with_its_end_is_response(tokenizer):
    assert said(tokenizer, encode_chat(tokenizer, CHAT)) == "Bring a passport.</s>The answer is 12.</s>"


def test_prompt_is_a_prefix_of_the_chat(tokenizer):
    prompt, whole = encode_prompt(tokenizer, CHAT[:-1]), encode_chat(tokenizer, CHAT)
    assert whole.ids[: len(prompt)] == prompt
    assert whole.response[len(prompt) - 1 : len(prompt) + 1] == [False, True]


def test_marked_spans_give_what_the_prefix_rule_gives(tokenizer):
    by_prefix = encode_chat(tokenizer, CHAT)
    tokenizer.chat_template = SPANS
    assert encode_chat(tokenizer, CHAT) == by_prefix


def test_layout_after_the_end_token_is_no_response(tokenizer):
    tokenizer.chat_template = LAYOUT
    assert said(tokenizer, encode_chat(tokenizer, CHAT)) == "Bring a passport.</s>The answer is 12.</s>"


def test_a_template_that_rewrites_earlier_turns_is_refused(tokenizer):
    tokenizer.chat_template = REWRITES
    with pytest.raises(ModelError, match="no token prefix of the whole chat"):
        encode_chat(tokenizer, CHAT)


def test_a_chat_without_an_answer_is_refused(tokenizer):
    with pytest.raises(ModelError, match="no assistant token"):
        encode_chat(tokenizer, CHAT[:2])


def test_an_answer_that_was_begun_is_gone_on_with(tokenizer):
    whole = encode_chat(tokenizer, CHAT)
    begun = encode_prompt(tokenizer, CHAT)
    assert tokenizer.decode(begun) == tokenizer.decode(whole.ids).removesuffix("</s>")
    assert encode_prompt(tokenizer, CHAT[:-1]) == begun[: len(encode_prompt(tokenizer, CHAT[:-1]))]
