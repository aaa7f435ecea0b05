"""The chat template of a model as it will be served: its own or the project's, with the serving system prompt in it.

The system prompt stands in the template itself, so whoever serves the folder serves what was scored. No torch.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from safety_assets.errors import ModelError

FILE = "chat_template.jinja"
SYSTEM_PROMPT = re.compile(r"\{% set serving_system_prompt = (\"(?:[^\"\\]|\\.)*\") %\}\n\{% if [^\n]*\n")
INSERT = (
    "{{% set serving_system_prompt = {text} %}}\n"
    "{{% if not messages or messages[0]['role'] != 'system' %}}{{% set messages = "
    "[{{'role': 'system', 'content': serving_system_prompt}}] + messages %}}{{% endif %}}\n"
)
FOLD = (
    "{% if messages and messages[0]['role'] == 'system' %}{% if messages|length > 1 and "
    "messages[1]['role'] == 'user' %}{% set messages = [{'role': 'user', 'content': messages[0]['content'] + '\\n\\n' "
    "+ messages[1]['content']}] + messages[2:] %}{% else %}{% set messages = [{'role': 'user', 'content': "
    "messages[0]['content']}] + messages[1:] %}{% endif %}{% endif %}\n"
)
"""What a template without a system role gets: the system text opens the first user turn, a blank line between them."""


def read_template(folder: Path) -> str | None:
    """The default chat template of a model or tokenizer folder; None when it has none.

    Raises:
        ModelError: a file that should hold it cannot be read.
    """
    if (folder / FILE).is_file():
        return (folder / FILE).read_text(encoding="utf-8")
    own = _json(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(own, list):
        own = next((t["template"] for t in own if t["name"] == "default"), None)
    return own or None


def serving_template(folder: Path, chosen: str | None, system_prompt: str | None) -> str | None:
    """The template that a model is scored and served with; None when there is none to start from.

    The chosen one goes before the model's own. A system prompt is put before every chat that has no system message.
    A template that drops or refuses system messages gets a first line that hands their text to the first user turn.

    Args:
        folder: the tokenizer's.
        chosen: the project's template.
        system_prompt: the serving system prompt.

    Raises:
        ModelError: the template cannot be rendered at all.
    """
    own = chosen if chosen is not None else read_template(folder)
    if own is None:
        return None
    bare = without_system_prompt(own)
    if not renders_system(bare, _special_tokens(folder)):
        bare = FOLD + bare
    said = system_prompt if system_prompt is not None else system_prompt_of(own)
    return bare if said is None else INSERT.format(text=json.dumps(said, ensure_ascii=False)) + bare


def system_prompt_of(template: str) -> str | None:
    """The serving system prompt that stands in a template; None when there is none."""
    found = SYSTEM_PROMPT.match(template)
    return json.loads(found[1]) if found else None


def without_system_prompt(template: str) -> str:
    """The template as it is without the serving system prompt."""
    return SYSTEM_PROMPT.sub("", template, count=1)


@functools.cache
def renders_system(template: str, tokens: tuple[tuple[str, str], ...]) -> bool:
    """Whether the text of a system message stands in what a template renders, found by rendering one.

    Args:
        template: Jinja, as transformers reads it.
        tokens: special tokens by name (bos_token, ...).

    Raises:
        ModelError: not even a user's message can be rendered.
    """
    user, mark = {"role": "user", "content": "hello"}, "text-of-the-system-message"
    try:
        _render(template, [user], dict(tokens))
    except Exception as error:  # a template is a program: whatever it raises, it cannot be used
        raise ModelError(
            f"the chat template cannot be rendered: {error}", do="correct it, or name another as chat_template"
        ) from error
    try:
        return mark in _render(template, [{"role": "system", "content": mark}, user], dict(tokens))
    except Exception:  # the template's own refusal; nothing else differs from the message that could be rendered
        return False


def rendered_prompts(folder: Path, chats: Sequence[Sequence[Mapping[str, str]]]) -> list[str]:
    """The text of each chat as the model of a folder reads it, up to its answer. Neither torch nor weights are loaded.

    Raises:
        ModelError: the folder has no template, or the template refuses a chat.
    """
    template, tokens = read_template(folder), dict(_special_tokens(folder))
    plain = [[{"role": turn["role"], "content": turn["content"]} for turn in chat] for chat in chats]
    try:
        return [_render(template or "", chat, tokens) for chat in plain]
    except Exception as error:  # a template is a program: whatever it raises, this chat cannot be asked
        raise ModelError(
            f"the chat template refuses a chat: {error}", expected="turns that it knows", do="take out that probe"
        ) from error


def _render(template: str, chat: list[dict[str, str]], tokens: dict[str, str]) -> str:
    from transformers.utils.chat_template_utils import render_jinja_template

    rendered, _ = render_jinja_template([chat], chat_template=template, add_generation_prompt=True, **tokens)
    return str(rendered[0])


def _special_tokens(folder: Path) -> tuple[tuple[str, str], ...]:
    """Name to text of the special tokens that a template may ask for."""
    said = _json(folder / "special_tokens_map.json") | _json(folder / "tokenizer_config.json")
    texts = {k: v.get("content") if isinstance(v, dict) else v for k, v in said.items() if k.endswith("_token")}
    return tuple(sorted((name, text) for name, text in texts.items() if isinstance(text, str)))


def _json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", expected="JSON", do="download the file again") from error
