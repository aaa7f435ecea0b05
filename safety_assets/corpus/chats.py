"""What a chat must be, and what it is called."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from safety_assets.corpus.jsonfiles import kind
from safety_assets.corpus.words import normalise
from safety_assets.errors import CorpusError
from safety_assets.store import canonical_json, digest_bytes

Message = dict[str, str]
Chat = list[Message]
Role = Literal["system", "user", "assistant"]

_ID_DIGITS = 16


def chat_of(messages: object, *, ends_with: Role) -> Chat:
    """The checked chat of a record: an optional system turn, then user and assistant in turn.

    Args:
        messages: what should be a list of role and content.
        ends_with: role that the last message must have.

    Raises:
        CorpusError: it is no such chat.
    """
    if not isinstance(messages, list) or not messages:
        found = "an empty list" if messages == [] else kind(messages)
        raise CorpusError(f"messages is {found}", expected=_SHAPE, do="write at least one user and one assistant turn")
    chat = [_message(number, message) for number, message in enumerate(messages, 1)]
    _check_order(chat, ends_with)
    return chat


_SHAPE = 'messages: a list of {"role", "content"}'


def _message(number: int, message: object) -> Message:
    if not isinstance(message, dict):
        raise CorpusError(f"message {number} is {kind(message)}", expected=_SHAPE, do="write role and content")
    role, content = message.get("role"), message.get("content")
    if role not in get_args(Role):
        raise CorpusError(
            f"message {number} has role {role!r:.40}",
            expected="system, user or assistant",
            do="map the role to one of them",
        )
    if not isinstance(content, str):
        raise CorpusError(f"content of message {number} is {kind(content)}", expected="text", do="write it as text")
    extra = sorted(k for k, v in message.items() if k not in ("role", "content") and v is not None)
    if extra:
        found = f"message {number} has the key {extra[0]!r:.40}, which would be lost"
        raise CorpusError(found, expected="role and content only", do="move it into the text or remove it")
    _check_text(number, content)
    return {"role": str(role), "content": content}


def _check_text(number: int, content: str) -> None:
    if "\0" in content:
        raise CorpusError(f"message {number} holds a NUL character", expected="plain text", do="remove it")
    if re.search(r"[\ud800-\udfff]", content):
        found = f"message {number} holds half of a surrogate pair"
        raise CorpusError(found, expected="whole Unicode characters", do="export the text again as UTF-8")


def _check_order(chat: Chat, ends_with: Role) -> None:
    turns = chat[1:] if chat[0]["role"] == "system" else chat
    offset = len(chat) - len(turns)
    for position, message in enumerate(turns):
        due = "assistant" if position % 2 else "user"
        if message["role"] != due:
            found = f"message {position + offset + 1} is a {message['role']} turn"
            raise CorpusError(found, expected=f"a {due} turn", do="put user and assistant in turn, system only first")
        if due == "assistant" and not message["content"].strip():
            found = f"message {position + offset + 1} is an empty answer"
            raise CorpusError(found, expected="an answer", do="write the answer or remove the row")
    if chat[-1]["role"] != ends_with:
        found = f"the last message is a {chat[-1]['role']} turn"
        raise CorpusError(found, expected=f"a chat that ends with a {ends_with} turn", do="complete or cut the chat")


def chat_id(chat: Sequence[Mapping[str, str]]) -> str:
    """First 16 hex digits of the sha256 of the canonical chat."""
    plain = [{"role": m["role"], "content": m["content"]} for m in chat]
    return digest_bytes(canonical_json(plain).encode())[:_ID_DIGITS]


def default_group(chat: Sequence[Mapping[str, str]]) -> str:
    """Group of a chat that names none: hash of its first user turn without case and punctuation."""
    first = next(m["content"] for m in chat if m["role"] == "user")
    return "turn-" + digest_bytes((normalise(first) or first).encode())[:_ID_DIGITS]


def text_field(value: Mapping[str, object], key: str) -> str:
    """A required field that holds text other than blanks; CorpusError otherwise."""
    found = value.get(key)
    if not isinstance(found, str) or not found.strip():
        seen = "missing" if key not in value else "blank" if isinstance(found, str) else kind(found)
        raise CorpusError(f"{key} is {seen}", expected="text", do=f"write {key} as text")
    if "\0" in found or re.search(r"[\ud800-\udfff]", found):
        raise CorpusError(f"{key} holds a NUL character or half of a surrogate pair", expected="text", do="remove it")
    return found
