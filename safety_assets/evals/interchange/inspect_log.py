"""Scores as an Inspect `EvalLog`, version 2: one sample per answer, one scorer per dimension.

Inspect's viewer and data frames read it. What was not scored has NaN as its value, Inspect's own sign for it, and the
reason. Digests of weights, probes and judge stand in `eval.metadata`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from safety_assets.evals.interchange.exchanged import Mean, mean, told
from safety_assets.evals.score_files import Facts
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.evals.summary import summarise
from safety_assets.store import digest_json

STOPS: Mapping[str, str] = {"stop": "stop", "length": "max_tokens"}
Row = Mapping[str, Any]


def inspect_log(
    scores: pl.DataFrame, responses: pl.DataFrame, probes: pl.DataFrame, facts: Facts, now: datetime
) -> str:
    """The log as JSON, to be written to a file that ends in .json.

    Args:
        scores: SCORES of one model.
        responses: RESPONSES that they are of.
        probes: PROBES that were asked.
        facts: of the scores.
        now: with its time zone; when the log is written.
    """
    rows = told(scores, responses, probes)
    name, model = facts.probes or "probes", facts.name or str(scores["model"][0])
    log = {
        "version": 2, "status": "success", "eval": _spec(rows, name, model, facts, now),
        "plan": {"name": "plan", "steps": [], "config": _config(facts)}, "results": _results(rows, scores),
        "stats": {"started_at": now.isoformat(), "completed_at": now.isoformat(), "model_usage": {}},
        "samples": [_sample(row, model) for row in rows.iter_rows(named=True)],
    }  # fmt: skip
    return json.dumps(log, ensure_ascii=False, indent=1)


def _spec(rows: pl.DataFrame, name: str, model: str, facts: Facts, now: datetime) -> Row:
    ids = rows["probe_id"].unique(maintain_order=True).to_list()
    run = digest_json([rows["model"][0], name, now.isoformat()])[:22]
    return {
        "eval_id": run, "run_id": run, "created": now.isoformat(), "task": name, "task_id": digest_json(name)[:22],
        "task_version": 0, "dataset": {"name": name, "samples": len(ids), "sample_ids": ids, "shuffled": False},
        "model": model, "model_generate_config": _config(facts), "model_args": {}, "packages": {},
        "config": {"epochs": int(rows["sample"].max()) + 1 if len(rows) else 1},  # type: ignore[arg-type]
        "metadata": {
            "weights": rows["model"][0], "probes": facts.probes_digest, "judge": facts.judge_digest,
            "judges": sorted(rows["judge"].unique()), "how": dict(facts.how),
        },
    }  # fmt: skip


def _config(facts: Facts) -> Row:
    return {"temperature": 0.0} | ({"max_tokens": facts.max_new_tokens} if facts.max_new_tokens else {})


def _results(rows: pl.DataFrame, scores: pl.DataFrame) -> Row:
    whole = summarise(scores, DIMENSIONS).filter(pl.col("slice") == "seen")
    points = {row["dimension"]: row for row in whole.iter_rows(named=True)}
    parts = rows.group_by("dimension", maintain_order=True)
    return {
        "total_samples": rows.height, "completed_samples": rows.height,
        "scores": [_score(str(name), mean(part), points.get(str(name), {})) for (name,), part in parts],
    }  # fmt: skip


def _score(name: str, found: Mean, points: Row) -> Row:
    """Mean and error over the items; score, low and high on the 0-10 scale as the dimension weighs its metrics."""
    figures = {"mean": found.value, "stderr": found.stderr, **{k: points.get(k) for k in ("score", "low", "high")}}
    known = {key: value for key, value in figures.items() if value is not None and not math.isnan(value)}
    return {
        "name": name, "scorer": "safety_assets", "params": {}, "scored_samples": found.num_scored,
        "unscored_samples": found.num_unscored,
        "metrics": {key: {"name": key, "value": value, "params": {}} for key, value in known.items()},
    }  # fmt: skip


def _sample(row: Row, model: str) -> Row:
    asked: Sequence[Row] = row["messages"]
    said = row["completion"]
    answer = [] if said is None else [{"role": "assistant", "content": said, "source": "generate", "model": model}]
    return {
        "id": row["probe_id"], "epoch": row["sample"] + 1, "input": asked, "choices": row["choices"] or None,
        "target": row["targets"] or row["expect"], "messages": [*asked, *answer],
        "output": {
            "model": model, "completion": said or "",
            "choices": [{"message": turn, "stop_reason": STOPS.get(row["finish"], "unknown")} for turn in answer],
        },
        "scores": {row["dimension"]: _verdict(row)},
        "metadata": {key: row[key] for key in ("metric", "category", "slice", "group", "expect", "forbidden")},
    }  # fmt: skip


def _verdict(row: Row) -> Row:
    scored = row["value"] is not None
    return {
        "value": row["value"] if scored else math.nan, "answer": row["completion"], "explanation": row["explanation"],
        "metadata": {"verdict": row["verdict"], "judge": row["judge"]},
        **({} if scored else {"reason": row["unscored_reason"] or "a value is missing or outside 0 to 1"}),
    }  # fmt: skip
