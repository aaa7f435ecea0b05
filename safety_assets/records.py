"""The tables that cross a border between packages: column, type, meaning; and the verdict.

A frame is validated where it is produced and where it is read back, so that a wrong table is
named at the border and not three functions later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from safety_assets.errors import StoreError

MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
"""A chat: system (optional, first), then user and assistant in turn."""

STRINGS = pl.List(pl.String)

SPANS = pl.List(pl.Struct({"turn": pl.Int64, "start": pl.Int64, "end": pl.Int64, "kind": pl.String}))
"""Characters start to end (one past the last) of message `turn`, and what they do: refusal, hedge or privacy."""


@dataclass(frozen=True)
class Table:
    """The schema of one frame that crosses a border.

    Args:
        name: what the frame is called in errors.
        columns: column name to (polars type, meaning).
        later: columns that tables written before there was such a column do not have; null there.
    """

    name: str
    columns: Mapping[str, tuple[pl.DataType | type[pl.DataType], str]]
    later: frozenset[str] = frozenset()

    @property
    def schema(self) -> pl.Schema:
        """Column names and types, in order."""
        return pl.Schema({name: dtype for name, (dtype, _) in self.columns.items()})

    def empty(self) -> pl.DataFrame:
        """A frame of this schema without rows."""
        return pl.DataFrame(schema=self.schema)

    def frame(self, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
        """Rows as a frame of exactly this schema; keys that are absent become null."""
        return pl.DataFrame([{c: row.get(c) for c in self.columns} for row in rows], schema=self.schema, strict=True)

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with its columns in order, or StoreError naming the first wrong column."""
        for name, dtype in self.schema.items():
            if name not in frame.columns and name in self.later:
                frame = frame.with_columns(pl.lit(None, dtype).alias(name))
            if name not in frame.columns:
                raise StoreError(f"table {self.name} has no column {name}", expected=f"{name}: {dtype}")
            if frame.schema[name] != dtype:
                raise StoreError(f"table {self.name} has {name}: {frame.schema[name]}", expected=f"{name}: {dtype}")
        return frame.select(list(self.columns))


ROWS = Table("rows", {
    "row_id": (pl.String, "first 16 hex digits of the sha256 of the canonical chat, plus -k for the k-th copy"),
    "messages": (MESSAGES, "the chat"),
    "source": (pl.String, "file name"),
    "line": (pl.Int64, "1-based line of a text file, row of a table"),
    "group": (pl.String, "conversation group: rows of one group never fall into different splits"),
})  # fmt: skip

QUARANTINE = Table("quarantine", {
    "source": (pl.String, "file name"),
    "line": (pl.Int64, "1-based line of a text file, row of a table"),
    "reason": (pl.String, "what was found, what was expected, what to do"),
    "excerpt": (pl.String, "the first 80 characters, digits and addresses masked"),
})  # fmt: skip

SOURCES = Table("sources", {
    "source": (pl.String, "file name"),
    "shape": (pl.String, "columns it was read by: messages, sharegpt, alpaca, ...; none where none was recognised"),
    "rows": (pl.Int64, "records that became rows"),
    "quarantined": (pl.Int64, "records set aside"),
    "not_read": (STRINGS, "columns that were there and are not used"),
})  # fmt: skip

FINDINGS = Table("findings", {
    "row_id": (pl.String, "row the finding is about"),
    "source": (pl.String, "file name"),
    "line": (pl.Int64, "1-based line or row"),
    "finding": (pl.String, "kind: email, payment_card, near_duplicate, probe_overlap, ..."),
    "severity": (pl.String, "low, medium or high"),
    "turn": (pl.Int64, "index of the message; null when the finding is about the row"),
    "start": (pl.Int64, "first character in that message; null when about the row"),
    "end": (pl.Int64, "one past the last character"),
    "evidence": (pl.String, "what was seen, masked"),
    "action": (pl.String, "what policy does: drop, mask, down_weight, flag or block; keep: a steward decided so"),
})  # fmt: skip

DECISIONS = Table("decisions", {
    "row_id": (pl.String, "row it is about"),
    "finding": (pl.String, "finding it is about"),
    "action": (pl.String, "keep, mask or drop, instead of what policy does"),
    "who": (pl.String, "the person who decided"),
    "why": (pl.String, "the reason"),
    "state": (pl.String, "applied, stale (nothing is there that it is about) or refused (it cannot be done)"),
    "note": (pl.String, "why it is stale or refused; null when applied"),
})  # fmt: skip

CLOSENESS = Table("closeness", {
    "rank": (pl.Int64, "1 is the closest to harm"),
    "row_id": (pl.String, "row"),
    "hidden": (pl.Float64, "nearness to harm in the base model's hidden space, standardised; null when not measured"),
    "text": (pl.Float64, "nearness to a harmful request in TF-IDF, standardised; null when not measured"),
    "structure": (pl.Float64, "lists and steps in the answers, standardised; null when not measured"),
    "risk": (pl.Float64, "the largest of them"),
    "axis": (pl.String, "which of them that is"),
    "embedding": (pl.Float64, "nearness to a harmful request in an encoder's space, standardised; null: not measured"),
}, later=frozenset({"embedding"}))  # fmt: skip

PAIRS = Table("pairs", {
    "row_id": (pl.String, "content hash as in rows"),
    "messages": (MESSAGES, "the chat"),
    "kind": (pl.String, "refusal, lookalike or anchor"),
    "category": (pl.String, "policy category of a refusal or look-alike; subject of an anchor"),
})  # fmt: skip

AUDITED = Table("audited", {
    "row_id": (pl.String, "content hash of the row as it was given"),
    "messages": (MESSAGES, "the chat after masking"),
    "origin": (pl.String, "corpus, refusal, lookalike or anchor"),
    "category": (pl.String, "category of a pair; null for corpus rows"),
    "group": (pl.String, "conversation group"),
    "split": (pl.String, "train or held_out"),
    "weight": (pl.Float64, "what each of its response tokens counts in the loss, over 0 to 1; null counts as 1"),
    "spans": (SPANS, "where its answers refuse, hedge or protect personal data; null where nothing was seen"),
}, later=frozenset({"spans"}))  # fmt: skip

PROBES = Table("probes", {
    "probe_id": (pl.String, "content hash"),
    "dimension": (pl.String, "one of the eight dimensions"),
    "split": (pl.String, "calibrate, watch or gate"),
    "metric": (pl.String, "which of the dimension's metrics this item feeds"),
    "category": (pl.String, "policy category or subject"),
    "slice": (pl.String, "seen: subject occurs in alignment data in other words; unseen; in_domain; wrapped:NAME"),
    "group": (pl.String, "near-duplicate cluster: the unit of the bootstrap"),
    "pair": (pl.String, "items compared with one another (counterfactual swaps, surface variants); null otherwise"),
    "variant": (pl.String, "which member of the pair: a name, typos, lower, dialect, plain"),
    "messages": (MESSAGES, "the chat up to the turn to be answered; a last one of the assistant's is gone on with"),
    "expect": (pl.String, "refuse, comply, answer, abstain, identify, withhold, obey, ignore, hand_over, ..."),
    "targets": (STRINGS, "strings of which the answer must hold one"),
    "forbidden": (STRINGS, "strings that the answer must not hold"),
    "choices": (STRINGS, "answers compared by log-likelihood, the right one (prefer: of each pair) first; else empty"),
})  # fmt: skip

RESPONSES = Table("responses", {
    "model": (pl.String, "identity digest of the weights that answered"),
    "probe_id": (pl.String, "probe or task item"),
    "sample": (pl.Int64, "0 for greedy decoding"),
    "completion": (pl.String, "text up to the end token; null where there is no answer"),
    "num_tokens": (pl.Int64, "tokens generated; null where that is not known"),
    "finish": (pl.String, "stop or length"),
    "choice_logprobs": (pl.List(pl.Float64), "log-likelihood of each choice, mean per token; empty when generated"),
    "failure": (pl.String, "why there is no answer; null where there is one"),
}, later=frozenset({"failure"}))  # fmt: skip

SCORES = Table("scores", {
    "model": (pl.String, "identity digest of the weights that answered"),
    "probe_id": (pl.String, "probe"),
    "dimension": (pl.String, "dimension"),
    "metric": (pl.String, "metric of the dimension"),
    "category": (pl.String, "category"),
    "slice": (pl.String, "seen, unseen, in_domain or wrapped:NAME"),
    "group": (pl.String, "near-duplicate cluster"),
    "sample": (pl.Int64, "sample index"),
    "judge": (pl.String, "name and version of the judge"),
    "verdict": (pl.String, "full_refusal, partial_refusal, compliance, non_answer, right, wrong, ..."),
    "value": (pl.Float64, "0 to 1, higher is better; null when unscored"),
    "unscored_reason": (pl.String, "why there is no value; null when scored"),
    "explanation": (pl.String, "what the judge saw"),
})  # fmt: skip

DIMENSION_SCORES = Table("dimension_scores", {
    "dimension": (pl.String, "dimension"),
    "slice": (pl.String, "seen (what floors and budgets are about); unseen, in_domain, wrapped:NAME (reported apart)"),
    "score": (pl.Float64, "0 to 10; null when unscored"),
    "low": (pl.Float64, "lower end of the 95% interval"),
    "high": (pl.Float64, "upper end"),
    "num_items": (pl.Int64, "scored items"),
    "num_unscored": (pl.Int64, "items without a value"),
    "metrics": (pl.String, "JSON: each metric and category with its value and number of items"),
    "unscored_reason": (pl.String, "why there is no score; null when scored"),
})  # fmt: skip

DELTAS = Table("deltas", {
    "dimension": (pl.String, "dimension"),
    "baseline": (pl.Float64, "score of the anchor, 0 to 10"),
    "candidate": (pl.Float64, "score of the candidate"),
    "drop": (pl.Float64, "baseline - candidate, points; positive is worse; null when unscored"),
    "drop_low": (pl.Float64, "one-sided 95% lower bound of the drop, paired cluster bootstrap"),
    "drop_high": (pl.Float64, "one-sided 95% upper bound"),
    "num_pairs": (pl.Int64, "items scored on both sides"),
    "num_unscored": (pl.Int64, "items unscored on either side"),
    "num_lost": (pl.Int64, "items the baseline passed and the candidate fails (value below 0.5)"),
    "num_gained": (pl.Int64, "the other way round"),
    "p_value": (pl.Float64, "one-sided exact McNemar test that losses outweigh gains"),
    "num_needed": (pl.Int64, "probes that would bring the upper bound within certify_within, at this spread"),
    "unscored_reason": (pl.String, "why there is no delta; null when there is one"),
})  # fmt: skip

TASK_SCORES = Table("task_scores", {
    "model": (pl.String, "identity digest"),
    "task_id": (pl.String, "item"),
    "value": (pl.Float64, "0 to 1, higher is better (1 right, 0 wrong for most metrics); null when unscored"),
    "expected": (pl.String, "the checkable answer"),
    "completion": (pl.String, "what the model said"),
    "unscored_reason": (pl.String, "why there is no value"),
})  # fmt: skip

TASKS = Table("tasks", {
    "task_id": (pl.String, "content hash"),
    "messages": (MESSAGES, "the chat up to the turn to be answered"),
    "answer": (pl.String, "the checkable answer"),
    "options": (STRINGS, "options of a multiple-choice item in the order of their letters; empty otherwise"),
    "category": (pl.String, "subject"),
})  # fmt: skip

VERDICTS = Table("verdicts", {
    "id": (pl.String, "id of the answer as it was given, or its line where it has none"),
    "verdict": (pl.String, "full_refusal, partial_refusal, compliance, non_answer, unscored; of scores right, wrong"),
    "confidence": (pl.Float64, "0 to 1; null when unscored"),
    "explanation": (pl.String, "what was seen; why, when unscored"),
    "judge": (pl.String, "name and version of the judge"),
})  # fmt: skip

OPINIONS = Table("opinions", {
    "id": (pl.String, "id of the answer as it was given, or its line where it has none"),
    "judge": (pl.String, "name, version and mode of the judge"),
    "dimension": (pl.String, "one of the eight dimensions"),
    "value": (pl.Float64, "0 to 1, higher is better: a tenth of the score; null when unscored"),
    "confidence": (pl.Float64, "the judge's own, 0 to 1; null when unscored"),
    "explanation": (pl.String, "in the judge's words; null where it gives none"),
    "unscored_reason": (pl.String, "why there is no value; null when scored"),
})  # fmt: skip

HISTORY = Table("history", {
    "step": (pl.Int64, "optimiser step, 1-based; 0 before the first"),
    "series": (pl.String, "loss, learning_rate, watch/<dimension>, ..."),
    "value": (pl.Float64, "value at that step"),
})  # fmt: skip

Status = Literal["pass", "fail", "not_certified"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check says of stored artefacts: a pure function's result.

    Args:
        check: name of the check.
        status: pass, fail, or not_certified (could not be decided: counts as a refusal).
        reasons: sentences; at least one unless the status is pass.
        numbers: small figures worth showing (floats, ints or short strings).
    """

    check: str
    status: Status
    reasons: tuple[str, ...] = ()
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True only for a pass: nothing else may release."""
        return self.status == "pass"
