"""A run of lm-evaluation-harness read back: results with their samples, item by item, as SCORES."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.records import SCORES

DO = "run lm_eval with --log_samples and --output_path, and name the folder it wrote"


@dataclass(frozen=True, kw_only=True)
class LmEvalRun:
    """One run.

    Args:
        named: what it says of the model: a folder or a hub id.
        scores: SCORES; dimension is the task, metric "name,filter", the judge names task version and shots.
        groups: group of tasks to its members, groups among them.
    """

    named: str
    scores: pl.DataFrame
    groups: Mapping[str, tuple[str, ...]]

    def tasks(self, name: str) -> frozenset[str]:
        """The tasks with items that a task or group of tasks stands for."""
        members = self.groups.get(name, ())
        return frozenset({name}) if not members else frozenset().union(*(self.tasks(one) for one in members))


def read_lm_eval(folder: Path, model: str) -> LmEvalRun:
    """The latest run under a folder.

    Args:
        folder: what `lm_eval --output_path` names.
        model: identity digest of the weights that it is of.

    Raises:
        EvaluationError: no results, no samples, or files that cannot be read.
    """
    results = sorted(folder.rglob("results_*.json"), key=lambda path: path.name)
    if not results:
        raise EvaluationError(f"{folder} holds no results_*.json", expected="a run of lm_eval", do=DO)
    if len({path.parent for path in results}) > 1:
        raise EvaluationError(f"{folder} holds runs of several models", expected="one", do="name the folder of one")
    latest = results[-1]
    run = _json(latest, latest.read_text(encoding="utf-8"))
    stamp = latest.stem.removeprefix("results_")
    samples = sorted(latest.parent.glob(f"samples_*_{stamp}.jsonl"))
    rows = [row for path in samples for row in _rows(path, _task_of(path, stamp), run, model)]
    if not rows:
        raise EvaluationError(f"{latest} has no samples beside it", expected=f"samples_*_{stamp}.jsonl", do=DO)
    subtasks = {name: tuple(members) for name, members in (run.get("group_subtasks") or {}).items() if members}
    return LmEvalRun(named=_named(run), scores=SCORES.frame(rows), groups=subtasks)


def chosen(run: LmEvalRun, task: str, metric: str, name: str) -> pl.DataFrame:
    """SCORES of one metric of a task or group, under a name of one's own; items of all members weigh the same.

    Raises:
        EvaluationError: the run has no such task or metric; those that it has are named.
    """
    own = run.scores.filter(pl.col("dimension").is_in(run.tasks(task)))
    found = own.filter(pl.col("metric") == metric)
    if found.is_empty():
        has = own["metric"].unique().sort() if len(own) else run.scores["dimension"].unique().sort()
        raise EvaluationError(
            f"the run has no {metric} of {task}", expected=f"one of {', '.join(has)}", do="correct the policy"
        )
    named = pl.concat_str("dimension", "probe_id", separator="/").alias("probe_id")
    return found.with_columns(named, group=named, category=pl.lit(""), dimension=pl.lit(name))


def _task_of(path: Path, stamp: str) -> str:
    return path.stem.removeprefix("samples_").removesuffix(f"_{stamp}")


def _json(path: Path, text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError as error:
        raise EvaluationError(f"{path} is not JSON: {error}", do=DO) from error
    if not isinstance(said, dict):
        raise EvaluationError(f"{path} holds no object", do=DO)
    return said


def _named(run: Mapping[str, Any]) -> str:
    """What the run calls its model."""
    said = (run.get("config") or {}).get("model_args") or {}
    if isinstance(said, str):
        said = dict(part.split("=", 1) for part in said.split(",") if "=" in part)
    return str(said.get("pretrained") or said.get("model") or run.get("model_name") or "")


def _rows(path: Path, task: str, run: Mapping[str, Any], model: str) -> Iterator[dict[str, object]]:
    version, shots = ((run.get(key) or {}).get(task, "?") for key in ("versions", "n-shot"))
    fixed = {
        "model": model, "dimension": task, "category": "", "slice": "seen", "sample": 0, "verdict": "",
        "judge": f"lm_eval {task} version {version}, {shots} shots", "explanation": "",
    }  # fmt: skip
    for line in path.read_text(encoding="utf-8").splitlines():
        said = _json(path, line)
        name = f"{said.get('doc_id')}-{str(said.get('doc_hash', ''))[:12]}"
        for metric in said.get("metrics") or ():
            value = said.get(metric)
            inside = isinstance(value, int | float) and 0 <= value <= 1
            yield {
                **fixed, "probe_id": name, "group": name, "metric": f"{metric},{said.get('filter', 'none')}",
                "value": float(value) if inside else None,  # type: ignore[arg-type]
                "unscored_reason": None if inside else f"{metric} is {value!r:.40}, no share of an item",
            }  # fmt: skip
