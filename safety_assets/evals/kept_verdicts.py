"""Verdicts that were given before, by answer and judge: an answer is judged once by each judge."""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from safety_assets.evals.kept import Kept
from safety_assets.records import PROBES, RESPONSES, SCORES
from safety_assets.store import digest_json

Judge = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
"""Takes PROBES and RESPONSES of one model, gives SCORES in the order of the probes."""

SEEN = ("messages", "expect", "targets", "forbidden", "choices", "variant", "completion", "finish", "choice_logprobs")
"""What a judge may look at: who answered, and what the probe is called, it must not."""
VERDICT = ("judge", "verdict", "value", "unscored_reason", "explanation")


def judged(
    probes: pl.DataFrame, responses: pl.DataFrame, judge: Judge, digest: str, kept: Kept, *, again: bool = False
) -> pl.DataFrame:
    """SCORES of responses, by a judge who is asked only about answers that it has not seen.

    What could not be scored is not kept: the reason may be gone next time.

    Args:
        probes: PROBES that were asked.
        responses: RESPONSES of one model.
        judge: from both to SCORES.
        digest: of everything that decides its verdict: code, weights, settings.
        kept: verdicts of any judges.
        again: judge everything anew.
    """
    items = PROBES.check(probes).join(
        RESPONSES.check(responses), on="probe_id", how="left", maintain_order="left_right"
    )
    keys = _keys(items, digest)
    known = {} if again else kept.find(sorted(set(keys)))
    items = items.with_columns(key=pl.Series(keys, dtype=pl.String), place=pl.int_range(pl.len()))
    new = items.filter(~pl.col("key").is_in(list(known)))
    if len(new):
        given = _given(new, probes, responses, judge)
        scored = {key: row for key, row in given.items() if row["value"] is not None}
        known |= given | kept.keep(scored, again=again)
    return _scores(items, known, responses)


def _keys(items: pl.DataFrame, digest: str) -> list[str]:
    """Digest of what is judged, per item: members of a pair are judged together, so each stands for all."""
    seen = [digest_json(row) for row in items.select(SEEN).iter_rows(named=True)]
    pairs: dict[tuple, list[str]] = {}
    for pair, sample, own in zip(items["pair"], items["sample"], seen, strict=True):
        pairs.setdefault((pair, sample), []).append(own)
    members = zip(items["pair"], items["sample"], seen, strict=True)
    return [
        digest_json([digest, own, sorted(pairs[pair, sample]) if pair is not None else []])
        for pair, sample, own in members
    ]


def _given(new: pl.DataFrame, probes: pl.DataFrame, responses: pl.DataFrame, judge: Judge) -> dict[str, Any]:
    """Key to verdict for items that are not known; the other members of their pairs are shown to the judge too."""
    pairs = new["pair"].drop_nulls().unique().to_list()
    wanted = pl.col("probe_id").is_in(new["probe_id"].unique().to_list()) | pl.col("pair").is_in(pairs)
    shown = probes.filter(wanted)
    scores = judge(shown, responses.filter(pl.col("probe_id").is_in(shown["probe_id"].to_list())))
    both = new.with_columns(pl.col("sample").fill_null(0)).join(
        scores.select("probe_id", "sample", *VERDICT), on=["probe_id", "sample"], how="left", maintain_order="left"
    )
    return {row["key"]: {name: row[name] for name in VERDICT} for row in both.iter_rows(named=True)}


def _scores(items: pl.DataFrame, known: dict[str, Any], responses: pl.DataFrame) -> pl.DataFrame:
    models: Sequence[str] = responses["model"].unique().to_list()
    only = models[0] if len(models) == 1 else ""
    own = ("probe_id", "dimension", "metric", "category", "slice", "group")
    return SCORES.frame([
        {
            **{name: row[name] for name in own}, "model": row["model"] or only, "sample": row["sample"] or 0,
            **known[row["key"]],
        }
        for row in items.iter_rows(named=True)
    ])  # fmt: skip
