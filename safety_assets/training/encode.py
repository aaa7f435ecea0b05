"""Audited rows as token ids; rows that cannot be trained on are named with the reason, never cut."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from transformers import PreTrainedTokenizerBase

from safety_assets.errors import ModelError
from safety_assets.frames import Shards, in_shards
from safety_assets.models.chat import encode_chat
from safety_assets.models.marks import mark_tokens
from safety_assets.models.rows import Row
from safety_assets.records import AUDITED

PLACEHOLDER = "Sure. Do this: [placeholder]."
"""What stands where a model would help with harm, for methods that must see such an answer: marked, never content."""


@dataclass(frozen=True)
class Quarantined:
    """A row that is not trained on, and why (found, expected, what to do)."""

    row_id: str
    origin: str
    reason: str


def encode_rows(
    tokenizer: PreTrainedTokenizerBase, frame: pl.DataFrame | Shards, *, max_tokens: int, marked: bool = False
) -> tuple[list[Row], list[Quarantined]]:
    """The rows of the train split in the table's order, and those that were left out. Shards are read one by one.

    Args:
        tokenizer: the base model's, with its chat template.
        frame: an AUDITED table; only its split `train` is used.
        max_tokens: longest row that is trained on, in tokens.
        marked: whether the table's spans become marks of tokens.
    """
    rows, quarantined = [], []
    for part in in_shards(frame, AUDITED):
        for record in part.filter(pl.col("split") == "train").iter_rows(named=True):
            try:
                rows.append(_row(tokenizer, record, max_tokens, marked))
            except ModelError as error:
                quarantined.append(Quarantined(record["row_id"], record["origin"], str(error)))
    return rows, quarantined


def harmful_rows(tokenizer: PreTrainedTokenizerBase, frame: pl.DataFrame | Shards, *, max_tokens: int) -> list[Row]:
    """The prompts of the refusal rows, answered by a placeholder that stands for harm and holds none.

    Args: as `encode_rows`. A row whose placeholder is too long is left out.
    """
    rows = []
    for part in in_shards(frame, AUDITED):
        refusals = part.filter(split="train", origin="refusal")
        for record in refusals.iter_rows(named=True):
            said = [*record["messages"][:-1], {"role": "assistant", "content": PLACEHOLDER}]
            try:
                rows.append(_row(tokenizer, {**record, "messages": said, "origin": "harmful"}, max_tokens))
            except ModelError:
                continue
    return rows


def _row(tokenizer: PreTrainedTokenizerBase, record: Mapping[str, Any], max_tokens: int, marked: bool = False) -> Row:
    encoded = encode_chat(tokenizer, record["messages"])
    _demand_length(encoded.ids, max_tokens)
    weight = 1.0 if record["weight"] is None else record["weight"]
    spans = record["spans"] if marked else None
    marks = mark_tokens(tokenizer, record["messages"], encoded, spans) if spans else b""
    return Row(record["row_id"], record["origin"], array("i", encoded.ids), bytes(encoded.response), weight, marks)


def _demand_length(ids: Sequence[int], max_tokens: int) -> None:
    if len(ids) > max_tokens:
        raise ModelError(
            f"the row has {len(ids)} tokens",
            expected=f"at most {max_tokens} (max_tokens of the recipe)",
            do="split the chat or raise max_tokens",
        )
