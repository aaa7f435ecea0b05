"""The head of a model card in the Hub's format, with the measured figures as `model-index`, by huggingface_hub."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from safety_assets.policy import DIMENSIONS
from safety_assets.records import DELTAS, DIMENSION_SCORES
from safety_assets.release.decision import Decision
from safety_assets.release.plots import finite

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

HUB_NAME = re.compile(r"([\w.-]+/[\w.-]+)@[0-9a-f]{40}")
"""How a project names a model of the Hub; anything else is a folder."""

SHARES = {"task_floor": ("task_score", "Task score", "share"), "over_refusal_ceiling": ("over_refusal", "", "rate")}
"""Verdicts whose numbers are results too: metric, name on the Hub, and the number that is the result."""


def header(
    decision: Decision, *, project: str, base: str, probes: str, scores: pl.DataFrame, deltas: pl.DataFrame
) -> "ModelCardData":
    """What stands between the dashes of a card.

    Args:
        decision: the decision about these weights.
        base: base model as the project names it; a folder is left out, the Hub would look for it.
        probes: digest of the probe suite.
        scores: DIMENSION_SCORES of these weights.
        deltas: DELTAS against the anchor.
    """
    from huggingface_hub import ModelCardData

    on_hub = HUB_NAME.fullmatch(base)
    results = [*_dimensions(scores, deltas, probes), *_shares(decision, probes)]
    return ModelCardData(
        model_name=f"{project}-{decision.recipe}", library_name="transformers", pipeline_tag="text-generation",
        tags=["safety_assets", f"release-decision:{decision.status}"],
        base_model=on_hub[1] if on_hub else None,
        eval_results=results or None,
        safety_assets={"decision": decision.digest, "decided_on": decision.decided_on, **decision.digests},
    )  # fmt: skip


def _dimensions(scores: pl.DataFrame, deltas: pl.DataFrame, probes: str) -> Iterator["EvalResult"]:
    """Score of each dimension, 0 to 10, with its interval, the anchor's score and the drop with its bounds."""
    whole = DIMENSION_SCORES.check(scores).filter(slice="seen")
    measured = {row["dimension"]: row for row in whole.iter_rows(named=True)}
    changed = {row["dimension"]: row for row in DELTAS.check(deltas).iter_rows(named=True)}
    for name in DIMENSIONS:
        row, delta = measured.get(name, {}), changed.get(name, {})
        against = {
            "low": row.get("low"), "high": row.get("high"), "items": row.get("num_items"), "scale": "0 to 10",
            "baseline": delta.get("baseline"), "drop": delta.get("drop"), "drop_low": delta.get("drop_low"),
            "drop_high": delta.get("drop_high"),
        }  # fmt: skip
        if finite(row.get("score")) is not None:
            yield _result(name, name.replace("_", " "), row["score"], against, probes)


def _shares(decision: Decision, probes: str) -> Iterator["EvalResult"]:
    for verdict in decision.verdicts:
        metric, name, key = SHARES.get(verdict.check, ("", "", ""))
        if metric and finite(verdict.numbers.get(key)) is not None:
            others = {other: value for other, value in verdict.numbers.items() if other != key}
            yield _result(metric, name or metric, verdict.numbers[key], {**others, "scale": "0 to 1"}, probes)


def _result(metric: str, name: str, value: Any, arguments: Mapping[str, object], probes: str) -> "EvalResult":
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type="text-generation", task_name="Text generation", dataset_type="safety_assets-probes",
        dataset_name="Gate probes and tasks of the project", dataset_split="gate", dataset_revision=probes,
        metric_type=metric, metric_name=name, metric_value=_rounded(value),
        metric_args={key: _rounded(one) for key, one in arguments.items() if one is not None},
    )  # fmt: skip


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
