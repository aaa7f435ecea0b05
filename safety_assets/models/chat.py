"""A chat as token ids, and which of them the assistant said."""

import copy
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from safety_assets.errors import ModelError
from safety_assets.models.template import without_system_prompt

Chat = Sequence[Mapping[str, str]]
"""Messages with role and content: system (optional, first), then user and assistant in turn."""

SPANS = re.compile(r"\{%-?\s*generation\s*-?%\}")


@dataclass(frozen=True)
class Encoded:
    """A tokenised chat.

    Args:
        ids: token ids.
        response: for every token, whether the assistant said it (the end of its turn included).
        weight: what each of its response tokens counts in a training loss, over 0 to 1.
        marks: bits of models.marks for every token; empty when none is marked.
    """

    ids: list[int]
    response: list[bool]
    weight: float = 1.0
    marks: bytes = b""

    @property
    def num_responses(self) -> int:
        """Response tokens that are predicted; the first token of a chat never is."""
        return sum(self.response[1:])


def without_serving_prompt(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """A copy whose template puts no serving system prompt before a chat."""
    bare = copy.copy(tokenizer)
    bare.chat_template = without_system_prompt(tokenizer.get_chat_template())
    return bare


def template_digest(tokenizer: PreTrainedTokenizerBase) -> str:
    """sha256 of the chat template, as of its file."""
    return hashlib.sha256(tokenizer.get_chat_template().encode()).hexdigest()


def encode_prompt(tokenizer: PreTrainedTokenizerBase, messages: Chat) -> list[int]:
    """Token ids of a chat up to the answer: the template's opening of the assistant's turn is the end.

    Where the last turn is the assistant's, it is the beginning of the answer: the end is its last token.
    """
    if messages[-1]["role"] == "assistant":
        return list(_apply(tokenizer, messages, return_dict=False, continue_final_message=True))
    return _render(tokenizer, messages, add_generation_prompt=True)


def encode_chat(tokenizer: PreTrainedTokenizerBase, messages: Chat) -> Encoded:
    """Token ids of a whole chat with every assistant turn marked.

    A template that marks `{% generation %}` spans decides itself. Without spans a turn begins where the rendered
    chat before it, with the generation prompt, ends, and closes with the last end token inside it.

    Raises:
        ModelError: the chat before a turn is no token prefix of the whole (the template rewrites earlier turns or
            the tokenizer merges across the border), or the assistant says nothing.
    """
    if SPANS.search(tokenizer.get_chat_template()):
        encoded = _encode_spans(tokenizer, messages)
    else:
        encoded = _encode_prefixes(tokenizer, messages)
    if not any(encoded.response):
        raise ModelError("the chat has no assistant token", expected="at least one assistant turn", do="drop the row")
    return encoded


def answer_opening(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids with which the template opens an answer, behind the token that begins every chat where there is one.

    Raises:
        ModelError: the template opens none.
    """
    asked = [{"role": "user", "content": "Hello"}]
    bare, opened = (_render(tokenizer, asked, add_generation_prompt=opens) for opens in (False, True))
    if opened[: len(bare)] != bare or len(opened) == len(bare):
        raise ModelError(
            "the chat template does not open an answer",
            expected="a generation prompt behind the last message",
            do="name another chat_template",
        )
    begins = opened[:1] if opened[0] == tokenizer.bos_token_id else []
    return begins + opened[len(bare) :]


def _encode_spans(tokenizer: PreTrainedTokenizerBase, messages: Chat) -> Encoded:
    out = _apply(tokenizer, messages, return_dict=True, return_assistant_tokens_mask=True)
    return Encoded(list(out["input_ids"]), [bool(x) for x in out["assistant_masks"]])


def _encode_prefixes(tokenizer: PreTrainedTokenizerBase, messages: Chat) -> Encoded:
    whole = _render(tokenizer, messages, add_generation_prompt=False)
    response = [False] * len(whole)
    for turn in (i for i, m in enumerate(messages) if m["role"] == "assistant"):
        start = _prefix_length(tokenizer, messages[:turn], whole, turn, opening=True)
        last = turn == len(messages) - 1
        end = len(whole) if last else _prefix_length(tokenizer, messages[: turn + 1], whole, turn, opening=False)
        end = _after_end_token(whole, start, end, tokenizer.eos_token_id)
        response[start:end] = [True] * (end - start)
    return Encoded(whole, response)


def _prefix_length(
    tokenizer: PreTrainedTokenizerBase, before: Chat, whole: list[int], turn: int, *, opening: bool
) -> int:
    prefix = _render(tokenizer, before, add_generation_prompt=opening) if before else []
    if whole[: len(prefix)] != prefix:
        raise ModelError(
            f"the chat {'before' if opening else 'up to'} message {turn + 1} is no token prefix of the whole chat",
            expected="a template that renders earlier turns unchanged",
            do="drop the row or mark {% generation %} spans in the template",
        )
    return len(prefix)


def _after_end_token(ids: list[int], start: int, end: int, end_token: int | None) -> int:
    """One past the last end token in ids[start:end]; `end` when there is none (what follows it is layout)."""
    return next((i + 1 for i in range(end - 1, start - 1, -1) if ids[i] == end_token), end)


def _render(tokenizer: PreTrainedTokenizerBase, messages: Chat, *, add_generation_prompt: bool) -> list[int]:
    return list(_apply(tokenizer, messages, return_dict=False, add_generation_prompt=add_generation_prompt))


def _apply(tokenizer: PreTrainedTokenizerBase, messages: Chat, **wanted: bool) -> Any:
    plain = [{"role": m["role"], "content": m["content"]} for m in messages]
    try:
        return tokenizer.apply_chat_template(plain, tokenize=True, **wanted)
    except TemplateError as error:
        raise ModelError(
            f"the chat template refuses the chat: {error}", expected="turns that it knows", do="drop the row"
        ) from error
