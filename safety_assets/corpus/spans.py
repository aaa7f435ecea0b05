"""Where audited rows refuse, hedge or protect personal data: spans of their messages, for weights of tokens.

Spans of corpus rows are the findings of the audit that say where, and the masks: `[EMAIL]` and the like protect
personal data. A finding about a whole message marks all of it. The audit saw a row before masking, so spans are moved
to where their characters stand after it. Pairs are not audited and are read here.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import polars as pl

from safety_assets.corpus.chats import Chat
from safety_assets.reading.places import places
from safety_assets.records import SPANS

KINDS = {
    "refusal_in_corpus": "refusal", "partial_refusal": "refusal", "hedged_answer": "hedge", "privacy_marker": "privacy",
}  # fmt: skip
"""Finding to the kind of span that it is."""


class Span(TypedDict):
    """Characters start to end (one past the last) of message `turn`, and what they do."""

    turn: int
    start: int
    end: int
    kind: str


Moved = Sequence[tuple[int, int, int]]
"""Start and end of each masked span of one message, in order, and the length of what stands there now."""


def spans_of(given: pl.DataFrame, findings: pl.DataFrame, masked: Mapping[str, Mapping[int, Moved]]) -> pl.DataFrame:
    """Columns row_id and spans of the rows that have any.

    Args:
        given: ROWS before masking.
        findings: FINDINGS about them.
        masked: row and turn to what was masked there.
    """
    told = findings.filter(pl.col("finding").is_in(list(KINDS)) & pl.col("turn").is_not_null())
    touched = pl.Series([*told["row_id"], *masked], dtype=pl.String).unique()
    chats = dict(given.filter(pl.col("row_id").is_in(touched.implode())).select("row_id", "messages").iter_rows())
    found: dict[str, list[Span]] = {}
    for row_id, turn, start, end, finding in told.select("row_id", "turn", "start", "end", "finding").iter_rows():
        if row_id not in chats:
            continue
        first, last = (0, len(chats[row_id][turn]["content"])) if start is None else (start, end)
        first, last = moved(first, last, masked.get(row_id, {}).get(turn, ()))
        found.setdefault(row_id, []).append(Span(turn=turn, start=first, end=last, kind=KINDS[finding]))
    for row_id, chat in chats.items():
        if masks := _mask_spans(chat, masked.get(row_id, {})):
            found.setdefault(row_id, []).extend(masks)
    return pl.DataFrame(
        {"row_id": list(found), "spans": [_ordered(spans) for spans in found.values()]},
        schema={"row_id": pl.String, "spans": SPANS},
    )


def _mask_spans(chat: Chat, masked: Mapping[int, Moved]) -> list[Span]:
    """What stands in the place of personal data in the answers."""
    return [
        Span(turn=turn, start=first, end=last, kind="privacy")
        for turn, hidden in masked.items()
        if chat[turn]["role"] == "assistant"
        for first, last in (moved(start, end, hidden) for start, end, _ in hidden)
    ]


def moved(start: int, end: int, masked: Moved) -> tuple[int, int]:
    """Where a span stands after masking; of a placeholder that it touches, all."""
    return _moved(start, masked, opens=True), _moved(end, masked, opens=False)


def _moved(place: int, masked: Moved, *, opens: bool) -> int:
    shift = 0
    for before, after, length in masked:
        if place <= before:
            break
        if place < after:
            return before + shift + (0 if opens else length)
        shift += length - (after - before)
    return place + shift


def pair_spans(chat: Chat) -> list[Span] | None:
    """Spans of a pair's answers; None when there are none."""
    found = [
        Span(turn=turn, start=start, end=end, kind=kind)
        for turn, message in enumerate(chat)
        if message["role"] == "assistant"
        for kind, start, end in places(message["content"])
    ]
    return _ordered(found) or None


def _ordered(spans: Sequence[Span]) -> list[Span]:
    unique = {(s["turn"], s["start"], s["end"], s["kind"]): s for s in spans if s["start"] != s["end"]}
    return [unique[key] for key in sorted(unique)]
