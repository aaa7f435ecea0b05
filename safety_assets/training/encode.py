"""Audited rows as token ids; rows that cannot be trained on are named with the reason, never cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from transformers import PreTrainedTokenizerBase

from safety_assets.errors import ModelError
from safety_assets.models.chat import Encoded, encode_chat
from safety_assets.records import AUDITED


@dataclass(frozen=True)
class Row:
    """One row of the training split as token ids.

    Args:
        row_id: content hash of the row.
        origin: corpus, refusal, lookalike or anchor.
        encoded: token ids and which of them the assistant said.
    """

    row_id: str
    origin: str
    encoded: Encoded


@dataclass(frozen=True)
class Quarantined:
    """A row that is not trained on, and why (found, expected, what to do)."""

    row_id: str
    origin: str
    reason: str


def encode_rows(
    tokenizer: PreTrainedTokenizerBase, frame: pl.DataFrame, *, max_tokens: int
) -> tuple[list[Row], list[Quarantined]]:
    """The rows of the train split in the frame's order, and those that were left out.

    Args:
        tokenizer: the base model's, with its chat template.
        frame: an AUDITED table; only its split `train` is used.
        max_tokens: longest row that is trained on, in tokens.
    """
    rows, quarantined = [], []
    for record in AUDITED.check(frame).filter(pl.col("split") == "train").iter_rows(named=True):
        row_id, origin = record["row_id"], record["origin"]
        try:
            encoded = encode_chat(tokenizer, record["messages"])
            _demand_length(encoded.ids, max_tokens)
        except ModelError as error:
            quarantined.append(Quarantined(row_id, origin, str(error)))
            continue
        rows.append(Row(row_id, origin, encoded))
    return rows, quarantined


def _demand_length(ids: Sequence[int], max_tokens: int) -> None:
    if len(ids) > max_tokens:
        raise ModelError(
            f"the row has {len(ids)} tokens",
            expected=f"at most {max_tokens} (max_tokens of the recipe)",
            do="split the chat or raise max_tokens",
        )
