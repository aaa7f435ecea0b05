"""The serving system prompt stands in the template, whatever its text and whatever the template can do."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety_assets.errors import ModelError
from safety_assets.models.chat import encode_chat, encode_prompt, without_serving_prompt
from safety_assets.models.load import load_model
from safety_assets.models.template import (
    _render,
    read_template,
    rendered_prompts,
    serving_template,
    system_prompt_of,
    without_system_prompt,
)

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ '</s>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
USER, ANSWER = {"role": "user", "content": "hello"}, {"role": "assistant", "content": "yes"}
TOKENS = {"bos_token": "<s>"}
DEAF = "{% for m in messages %}{% if m.role != 'system' %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}"
STRICT = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
)
SAID = {"role": "system", "content": "Be kind."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"bos_token": {"content": "<s>"}}))
    return tmp_path


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_any_text_is_said_and_read_back(tmp_path_factory, text: str):
    template = serving_template(tmp_path_factory.getbasetemp(), CHAT_TEMPLATE, text)
    assert system_prompt_of(template) == text
    assert without_system_prompt(template) == CHAT_TEMPLATE
    assert _render(template, [USER], TOKENS) == _render(CHAT_TEMPLATE, [{**SAID, "content": text}, USER], TOKENS)


def test_a_chat_with_its_own_system_message_keeps_it(folder: Path):
    template = serving_template(folder, CHAT_TEMPLATE, "Other.")
    assert _render(template, [SAID, USER], TOKENS) == _render(CHAT_TEMPLATE, [SAID, USER], TOKENS)


@pytest.mark.parametrize("template", [DEAF, STRICT])
def test_without_a_system_role_the_text_opens_the_first_user_turn(folder: Path, template: str):
    serving = serving_template(folder, template, None)
    assert _render(serving, [SAID, USER, ANSWER, USER], {}) == "<user>Be kind.\n\nhello<assistant>yes<user>hello"
    assert _render(serving, [USER], {}) == "<user>hello"
    assert _render(serving_template(folder, template, "Be kind."), [USER], {}) == "<user>Be kind.\n\nhello"


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, DEAF, STRICT])
def test_a_served_template_is_served_again_as_it_is(folder: Path, template: str):
    once = serving_template(folder, template, "Be kind.")
    assert serving_template(folder, once, "Be kind.") == once
    assert serving_template(folder, once, None) == once
    assert system_prompt_of(serving_template(folder, once, "Now this.")) == "Now this."


def test_white_space_at_the_start_of_a_template_is_kept(folder: Path):
    template = "\n  " + CHAT_TEMPLATE
    assert _render(serving_template(folder, template, "Be kind."), [USER], {}) == _render(template, [SAID, USER], {})


def test_a_template_that_cannot_be_rendered_is_refused(folder: Path):
    with pytest.raises(ModelError, match="cannot be rendered"):
        serving_template(folder, "{% for %}", None)


def test_the_default_of_several_templates_is_read(folder: Path):
    several = [{"name": "tools", "template": "x"}, {"name": "default", "template": "y"}]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": several}))
    assert read_template(folder) == "y"
    assert serving_template(folder.parent / "nothing", None, "Be kind.") is None


def test_marking_of_the_assistants_tokens_is_unchanged(tiny_model: Path, folder: Path):
    tokenizer = load_model(tiny_model).tokenizer
    plain = encode_chat(tokenizer, [SAID, USER, ANSWER])
    tokenizer.chat_template = serving_template(folder, CHAT_TEMPLATE, SAID["content"])
    assert encode_chat(tokenizer, [USER, ANSWER]) == plain
    bare = without_serving_prompt(tokenizer)
    assert len(encode_prompt(bare, [USER])) < len(encode_prompt(tokenizer, [USER]))


def test_a_chat_that_the_template_refuses_is_an_error_in_words(tiny_model: Path):
    tokenizer = load_model(tiny_model).tokenizer
    tokenizer.chat_template = STRICT
    with pytest.raises(ModelError, match="refuses the chat: roles must alternate"):
        encode_chat(tokenizer, [USER, USER, ANSWER])


def test_prompts_are_rendered_without_the_model_as_its_tokenizer_renders_them(tiny_model: Path):
    chats = [[SAID, USER], [USER, ANSWER, USER]]
    tokenizer = load_model(tiny_model, device="cpu").tokenizer
    known = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
    assert rendered_prompts(tiny_model, chats) == known


def test_a_chat_that_a_template_refuses_is_named(folder: Path):
    (folder / "chat_template.jinja").write_text(STRICT)
    assert rendered_prompts(folder, [[USER]]) == ["<user>hello"]
    with pytest.raises(ModelError, match="System role not supported"):
        rendered_prompts(folder, [[SAID, USER]])
