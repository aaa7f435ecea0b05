"""Spans of characters of a chat's answers as marks of its tokens, one byte a token.

A fast tokenizer says which characters a token stands for. Where it does not, or reads the rendered text otherwise than
the template does, tokens are decoded one after another and their text is counted.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from transformers import PreTrainedTokenizerBase

from safety_assets.errors import ModelError
from safety_assets.models.chat import Chat, Encoded

MARKS = {"refusal": 1, "hedge": 2, "privacy": 4}
"""Kind of span to its bit."""

Place = tuple[int, int]
"""First character and one past the last."""


def mark_tokens(
    tokenizer: PreTrainedTokenizerBase, messages: Chat, encoded: Encoded, spans: Sequence[Mapping[str, Any]]
) -> bytes:
    """For every token the bits of the spans that it touches; only tokens of answers are marked.

    Args:
        tokenizer: that encoded the chat.
        encoded: the chat.
        spans: turn, start, end and kind; those of other turns than the assistant's are passed over.

    Raises:
        ModelError: an answer cannot be found again in its tokens, or a kind is unknown.
    """
    marks = bytearray(len(encoded.ids))
    wanted = [span for span in spans if messages[span["turn"]]["role"] == "assistant"]
    if not wanted:
        return bytes(marks)
    runs = _runs(encoded.response)
    turns = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    if len(runs) != len(turns):
        raise ModelError(
            f"the chat has {len(turns)} answers and {len(runs)} stretches of answer tokens",
            expected="one for each", do="drop the row, or mark whole answers in the template",
        )  # fmt: skip
    whole = _offsets(tokenizer, messages, encoded.ids)
    for turn, run in zip(turns, runs, strict=True):
        own = [span for span in wanted if span["turn"] == turn]
        if own:
            places = _places(tokenizer, messages[turn]["content"], encoded.ids, run, whole)
            for token, place in enumerate(places, run[0]):
                marks[token] = _bits(place, own)
    return bytes(marks)


def _bits(place: Place, spans: Sequence[Mapping[str, Any]]) -> int:
    touching = (span["kind"] for span in spans if place[0] < span["end"] and span["start"] < place[1])
    bits = 0
    for kind in touching:
        if kind not in MARKS:
            raise ModelError(f"a span is of kind {kind}", expected=", ".join(MARKS), do="correct the audited rows")
        bits |= MARKS[kind]
    return bits


def _runs(response: Sequence[bool]) -> list[Place]:
    """First token and one past the last of every answer."""
    edges = [i for i in range(len(response) + 1) if (i < len(response) and response[i]) != (i > 0 and response[i - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _offsets(tokenizer: PreTrainedTokenizerBase, messages: Chat, ids: Sequence[int]) -> tuple[str, list[Place]] | None:
    """The rendered chat and each token's characters in it; None where a tokenizer does not say, or reads otherwise."""
    if not tokenizer.is_fast:
        return None
    plain = [{"role": m["role"], "content": m["content"]} for m in messages]
    text = tokenizer.apply_chat_template(plain, tokenize=False)
    read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return (text, read["offset_mapping"]) if list(read["input_ids"]) == list(ids) else None


def _places(
    tokenizer: PreTrainedTokenizerBase, content: str, ids: Sequence[int], run: Place,
    whole: tuple[str, list[Place]] | None,
) -> list[Place]:  # fmt: skip
    """Characters of an answer's message that each of its tokens stands for."""
    if whole is None:
        text, places = _decoded(tokenizer, ids[run[0] : run[1]])
    else:
        text, places = whole[0], whole[1][run[0] : run[1]]
    start = places[0][0]
    body = content.strip()  # a template may strip
    at = text.find(body, start)
    if at < 0:
        raise ModelError(
            "the text of an answer is not what its tokens say", expected="a template that renders it unchanged",
            do="drop the row",
        )  # fmt: skip
    shift = at - content.index(body)
    return [(first - shift, last - shift) for first, last in places]


def _decoded(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> tuple[str, list[Place]]:
    """Text of some tokens and the characters by which each of them lengthens it; a part of one counts as all of it."""
    texts = [
        tokenizer.decode(list(ids[:count]), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        for count in range(len(ids) + 1)
    ]
    lengths = [len(text.rstrip("\ufffd")) for text in texts]
    return texts[-1], [(start, max(end, start + 1)) for start, end in pairwise(lengths)]
