"""Whether a model says the same when it is asked again: answers drawn at a temperature, agreement within each question.

Self-consistency (Wang et al. 2022, arXiv 2203.11171) is the share of the most frequent answer. Agreement of verdicts
looks at what is judged, agreement of texts at the words. Shown beside the scores, never gated.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from safety_assets.evals import statistics
from safety_assets.evals.deltas import PASSES
from safety_assets.evals.wording import normalise
from safety_assets.records import PROBES, RESPONSES, SCORES, Table

ALL = "all"
"""Dimension of the row about all of them."""

AGREEMENT = Table("agreement", {
    "dimension": (pl.String, "dimension; all: every question"),
    "num_questions": (pl.Int64, "questions with at least two scored answers on both sides"),
    "base_verdicts": (pl.Float64, "share of pairs of answers with the same verdict (pass or fail), mean of questions"),
    "candidate_verdicts": (pl.Float64, "the same of the candidate"),
    "change": (pl.Float64, "candidate - base"),
    "low": (pl.Float64, "lower end of its 95% interval, paired bootstrap over near-duplicate groups"),
    "high": (pl.Float64, "upper end"),
    "base_consistency": (pl.Float64, "share of the most frequent answer, up to case and closing punctuation"),
    "candidate_consistency": (pl.Float64, "the same of the candidate"),
})  # fmt: skip


def some_questions(probes: pl.DataFrame, most: int) -> pl.DataFrame:
    """Probes that are answered in words and judged alone, spread over the dimensions.

    Args:
        probes: PROBES.
        most: how many at most.
    """
    alone = PROBES.check(probes).filter((pl.col("choices").list.len() == 0) & pl.col("pair").is_null())
    spread = alone.sort("dimension", "metric", "probe_id")
    return spread.gather_every(max(1, -(-spread.height // most)))


def agreement(sides: Sequence[tuple[pl.DataFrame, pl.DataFrame]]) -> pl.DataFrame:
    """Agreement of base and candidate over the same questions, over all and by dimension.

    Args:
        sides: RESPONSES and SCORES of the base, then of the candidate; several samples of each question.

    Returns:
        AGREEMENT, all questions first; without rows when no question has two scored answers on both sides.
    """
    base, candidate = (_questions(*side) for side in sides)
    both = base.join(candidate, on=["probe_id", "dimension", "group"], suffix="_candidate").sort("probe_id")
    names = [ALL, *sorted(both["dimension"].unique())] if len(both) else []
    parts = [both if name == ALL else both.filter(pl.col("dimension") == name) for name in names]
    return AGREEMENT.frame([{"dimension": n, **_figures(part)} for n, part in zip(names, parts, strict=True)])


def _questions(responses: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Per question the share of pairs that agree, and that of the most frequent answer."""
    said = RESPONSES.check(responses).select("probe_id", "sample", "completion")
    scored = SCORES.check(scores).filter(pl.col("value").is_not_null()).join(said, on=["probe_id", "sample"])
    rows = []
    for (probe, dimension, group), part in scored.group_by("probe_id", "dimension", "group", maintain_order=True):
        if part.height >= 2:
            verdicts = Counter((part["value"] >= PASSES).to_list())
            texts = Counter(normalise(text or "").rstrip(".!? ") for text in part["completion"])
            rows.append({
                "probe_id": probe, "dimension": dimension, "group": group, "verdicts": _pairs(verdicts, part.height),
                "consistency": max(texts.values()) / part.height,
            })  # fmt: skip
    schema = dict.fromkeys(("probe_id", "dimension", "group"), pl.String) | dict.fromkeys(
        ("verdicts", "consistency"), pl.Float64
    )
    return pl.DataFrame(rows, schema=schema)


def _pairs(counts: Counter, number: int) -> float:
    """Share of pairs of answers that fall together."""
    return sum(n * (n - 1) for n in counts.values()) / (number * (number - 1))


def _figures(part: pl.DataFrame) -> dict[str, object]:
    change = (part["verdicts_candidate"] - part["verdicts"]).to_numpy()
    groups = part["group"].rank("dense").to_numpy().astype(np.int64) - 1
    sums, numbers = (own[:, 0] for own in statistics.cell_sums(change, groups, np.zeros_like(groups)))
    counts = statistics.resample_counts(len(sums))
    low, high = np.quantile(counts @ sums / (counts @ numbers), (0.025, 0.975))
    return {
        "num_questions": part.height, "base_verdicts": part["verdicts"].mean(),
        "candidate_verdicts": part["verdicts_candidate"].mean(), "change": float(change.mean()), "low": float(low),
        "high": float(high), "base_consistency": part["consistency"].mean(),
        "candidate_consistency": part["consistency_candidate"].mean(),
    }  # fmt: skip
