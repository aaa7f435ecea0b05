"""Scores as lm-evaluation-harness writes them: results and samples, one task per metric of a dimension.

A task's `value,none` is the mean value of its items, 0 to 1. Items without a score stand in no samples file; their
number stands in the task's configuration.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from safety_assets.evals.interchange.exchanged import Mean, mean, told
from safety_assets.evals.score_files import Facts
from safety_assets.store import digest_bytes, digest_json

Row = Mapping[str, Any]


def write_lm_eval(
    folder: Path, scores: pl.DataFrame, responses: pl.DataFrame, probes: pl.DataFrame, facts: Facts, now: datetime
) -> list[Path]:
    """Write results and samples under a folder named after the model, as `lm_eval --log_samples` does.

    Args:
        folder: output path.
        scores, responses, probes: SCORES of one model, RESPONSES and PROBES behind them.
        facts: of the scores.
        now: when; stands in the names of the files.

    Returns:
        The files, results first.
    """
    rows = told(scores, responses, probes)
    model = facts.name or str(scores["model"][0])
    place = folder / re.sub(r"[\"<>:/|\\?*\[\]]+", "__", model)
    place.mkdir(parents=True, exist_ok=True)
    stamp = now.replace(tzinfo=None).isoformat().replace(":", "-")
    tasks = {f"{d}_{m}": part for (d, m), part in rows.group_by("dimension", "metric", maintain_order=True)}
    files = [place / f"results_{stamp}.json"]
    files[0].write_text(json.dumps(_results(tasks, model, facts, now), indent=2, ensure_ascii=False), encoding="utf-8")
    for task, part in tasks.items():
        files.append(place / f"samples_{task}_{stamp}.jsonl")
        lines = "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in _samples(part))
        files[-1].write_text(lines, encoding="utf-8")
    return files


def _results(tasks: Mapping[str, pl.DataFrame], model: str, facts: Facts, now: datetime) -> Row:
    means = {task: mean(part) for task, part in tasks.items()}
    return {
        "results": {task: _task(task, found) for task, found in means.items()},
        "group_subtasks": {task: [] for task in tasks},
        "configs": {task: _config(task, part, means[task]) for task, part in tasks.items()},
        "versions": dict.fromkeys(tasks, 0), "n-shot": dict.fromkeys(tasks, 0),
        "higher_is_better": {task: {"value": True} for task in tasks},
        "n-samples": {
            task: {"original": found.num_scored + found.num_unscored, "effective": found.num_scored}
            for task, found in means.items()
        },
        "config": {
            "model": "safety_assets", "model_args": {"pretrained": model},
            "gen_kwargs": {"do_sample": False, "max_gen_toks": facts.max_new_tokens},
        },
        "date": now.timestamp(), "model_source": "safety_assets", "model_name": model,
        "model_name_sanitized": re.sub(r"[\"<>:/|\\?*\[\]]+", "__", model),
        "safety_assets": {
            "weights": facts.model, "probes": facts.probes_digest, "judge": facts.judge_digest, "how": dict(facts.how),
        },
    }  # fmt: skip


def _task(task: str, found: Mean) -> Row:
    """A task of which nothing is scored has no value; lm-eval writes N/A where it has no error."""
    figures = {"value,none": found.value, "value_stderr,none": found.stderr} if found.num_scored else {}
    return {"alias": task, **figures}


def _config(task: str, part: pl.DataFrame, found: Mean) -> Row:
    return {
        "task": task, "output_type": "generate_until", "num_fewshot": 0,
        "metadata": {"judges": sorted(part["judge"].unique()), "unscored": found.num_unscored},
    }  # fmt: skip


def _samples(part: pl.DataFrame) -> Iterator[Row]:
    for place, row in enumerate(part.iter_rows(named=True)):
        if row["value"] is None:
            continue
        doc = {key: row[key] for key in ("probe_id", "sample", "messages", "expect", "category", "slice", "group")}
        asked, target = json.dumps(row["messages"], ensure_ascii=False), "; ".join(row["targets"] or [row["expect"]])
        yield {
            "doc_id": place, "doc": doc, "target": target, "arguments": {"gen_args_0": {"arg_0": asked}},
            "resps": [[row["completion"]]], "filtered_resps": [row["completion"]], "filter": "none",
            "metrics": ["value"], "doc_hash": digest_json(doc), "prompt_hash": digest_bytes(asked.encode()),
            "target_hash": digest_bytes(target.encode()), "value": row["value"], "verdict": row["verdict"],
        }  # fmt: skip
