"""What both exports begin with: each score with its probe and its answer, and a mean with its error."""

import math
from dataclasses import dataclass

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals import cells
from safety_assets.records import PROBES, RESPONSES, SCORES

ANSWER = ("completion", "num_tokens", "finish", "choice_logprobs")
ASKED = ("messages", "expect", "targets", "forbidden", "choices")


@dataclass(frozen=True)
class Mean:
    """Mean value of scored items, 0 to 1, with its standard error clustered on groups; NaN without items."""

    value: float
    stderr: float
    num_scored: int
    num_unscored: int


def told(scores: pl.DataFrame, responses: pl.DataFrame, probes: pl.DataFrame) -> pl.DataFrame:
    """SCORES with the questions and answers behind them: the columns of ASKED and ANSWER beside.

    Raises:
        EvaluationError: a score has no probe, or the answers are of another model.
    """
    scores, responses, probes = SCORES.check(scores), RESPONSES.check(responses), PROBES.check(probes)
    cells.one_model(scores, "the table of scores")
    if set(responses["model"]) - set(scores["model"]):
        raise EvaluationError(
            "the answers are of another model than the scores", expected="what was scored",
            do="name the responses beside the scores",
        )  # fmt: skip
    strangers = scores.join(probes, on="probe_id", how="anti").height
    if strangers:
        raise EvaluationError(
            f"{strangers} scores are of probes that are not there", expected="the probes that were asked",
            do="name the probe set that the model was scored on",
        )  # fmt: skip
    both = scores.join(probes.select("probe_id", *ASKED), on="probe_id", how="left", maintain_order="left")
    answers = responses.select("probe_id", "sample", *ANSWER)
    both = both.join(answers, on=["probe_id", "sample"], how="left", maintain_order="left")
    return both.with_columns(value=pl.when(cells.usable()).then("value"))


def mean(rows: pl.DataFrame) -> Mean:
    """Mean of the values of `told`; the error is that of a mean of clusters (Liang and Zeger 1986)."""
    scored = rows.filter(pl.col("value").is_not_null())
    n = scored.height
    if not n:
        return Mean(math.nan, math.nan, 0, rows.height)
    value = float(scored["value"].sum()) / n
    spread = scored.group_by("group").agg((pl.col("value") - value).sum().alias("d"))["d"]
    return Mean(value, math.sqrt(float((spread**2).sum())) / n, n, rows.height - n)
