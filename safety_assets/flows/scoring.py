"""Scoring one model on one probe set, without a recipe or a decision: answers and scores are files of their own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals.apart import slice_scores
from safety_assets.evals.ask import ask
from safety_assets.evals.attack_success import attack_success
from safety_assets.evals.by_metric import metric_scores
from safety_assets.evals.comparison import Flips
from safety_assets.evals.confidence import confidence
from safety_assets.evals.judges import JUDGE, record
from safety_assets.evals.kept_verdicts import judged
from safety_assets.evals.phrasings import phrasings
from safety_assets.evals.probes import read_probes
from safety_assets.evals.remembered import Target
from safety_assets.evals.score_files import Facts, asked_digest, read_table
from safety_assets.evals.slices import ALWAYS, UNSEEN
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.flows.answers import questions_digest
from safety_assets.flows.apart import asked_apart
from safety_assets.flows.asking import kept, remembered
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.judge_record import RULES, judge_record
from safety_assets.flows.second_run import second_run
from safety_assets.flows.tasks import project_tasks
from safety_assets.flows.workspace import Workspace
from safety_assets.measures import InDomain
from safety_assets.records import RESPONSES


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Answers of one model and what they are worth.

    Args:
        responses: RESPONSES.
        scores: SCORES.
        confidence: CONFIDENCE; empty where no choices were compared.
        facts: how both came about.
        asked: questions that were put to the model now.
        remembered: questions that it had answered before.
    """

    responses: pl.DataFrame
    scores: pl.DataFrame
    confidence: pl.DataFrame
    facts: Facts
    asked: int = 0
    remembered: int = 0


def questions(place: Path, split: str) -> pl.DataFrame:
    """PROBES of one split of a file or folder.

    Raises:
        CorpusError: a line is wrong.
        EvaluationError: the split is empty.
    """
    probes = read_probes(place)
    found = probes if split == "all" else probes.filter(pl.col("split") == split)
    if found.is_empty():
        splits = ", ".join(sorted(probes["split"].unique()))
        raise EvaluationError(f"{place} has no probes of split {split}", expected=f"one of {splits}", do="name one")
    return found


def with_slices(ws: Workspace, probes: pl.DataFrame, wrappers: tuple[str, ...], *, in_domain: bool) -> pl.DataFrame:
    """PROBES with the same sample of them in wrappers and inside the project's task, as its policy sizes the samples.

    Args:
        wrappers: names; none wraps nothing.
        in_domain: ask some of each dimension behind conversations of the project's task set.

    Raises:
        EvaluationError: nothing can be wrapped, or the task set is too small.
    """
    if not wrappers and not in_domain:
        return probes
    law = ws.policy.probes
    asked = law.model_copy(
        update={"wrappers": wrappers, "in_domain": (law.in_domain or InDomain()) if in_domain else None}
    )
    system = ws.project.settings.system_prompt
    return pl.concat([probes, asked_apart(probes, lambda: project_tasks(ws.project), asked, system)])


def score_model(
    ws: Workspace, asked: Target, probes: pl.DataFrame, named: str, max_new_tokens: int | None = None
) -> Scored:
    """Ask a model what it was not asked before, and score all of it.

    Args:
        probes: PROBES.
        named: what the probe set is called.
        max_new_tokens: longest answer; the project's setting by default.
    """
    longest = max_new_tokens or ws.project.settings.max_new_tokens
    model = remembered(ws, asked)
    responses = ask(probes, model, max_new_tokens=longest)
    facts = Facts(
        name=asked.name, model=asked.model, probes=named, probes_digest=questions_digest(probes),
        asked=asked_digest(probes), max_new_tokens=longest, how=asked.how,
    )  # fmt: skip
    scored = _scored(ws, probes, responses, facts, model.num_asked, model.num_remembered)
    flips = second_run(ws, model, probes, scored.scores, longest)
    return replace(scored, facts=replace(scored.facts, null=asdict(flips) if flips else None))


def score_responses(ws: Workspace, path: Path, probes: pl.DataFrame, named: str) -> Scored:
    """Score answers that a file holds; no model is loaded.

    Raises:
        EvaluationError: it holds no answers, answers of several models, or answers to other questions.
    """
    responses, facts = read_table(path, RESPONSES)
    _demand_answers(path, responses, facts, probes)
    known = replace(facts, probes=named, probes_digest=questions_digest(probes), model=responses["model"][0])
    return _scored(ws, probes, responses, known)


def _demand_answers(path: Path, responses: pl.DataFrame, facts: Facts, probes: pl.DataFrame) -> None:
    do = "name the probes that were asked, or score the model again"
    models = responses["model"].n_unique()
    if models != 1:
        raise EvaluationError(f"{path} holds answers of {models} models", expected="the answers of one", do=do)
    if facts.asked not in (None, asked_digest(probes)):
        raise EvaluationError(f"{path} holds answers to other questions", expected="answers to these probes", do=do)
    strangers = responses.join(probes, on="probe_id", how="anti").height
    if strangers:
        raise EvaluationError(
            f"{path} holds {strangers} answers to probes that are not there", expected="answers to these probes", do=do
        )


def _scored(
    ws: Workspace, probes: pl.DataFrame, responses: pl.DataFrame, facts: Facts, asked: int = 0, known: int = 0
) -> Scored:
    digest = sources_version(*RULES)
    scores = judged(probes, responses, judge, digest, kept(ws, "verdicts"), again=ws.force)
    null = facts.null if facts.judge_digest == digest else None
    return Scored(
        responses=responses, scores=scores, confidence=confidence(probes, responses),
        facts=replace(facts, judge_digest=digest, null=null), asked=asked, remembered=known,
    )  # fmt: skip


def document(scored: Scored) -> dict[str, Any]:
    """Scores per dimension, metric and category, and how they came about, in JSON types."""
    facts, whole = scored.facts, summarise(scored.scores, DIMENSIONS).filter(pl.col("slice") == "seen")
    present = whole.filter(pl.col("num_items") + pl.col("num_unscored") > 0)
    reasons = scored.scores["unscored_reason"].drop_nulls().value_counts(sort=True)
    return {
        "model": {"name": facts.name, "digest": facts.model},
        "probes": {"name": facts.probes, "digest": facts.probes_digest, "items": scored.scores.height},
        "dimensions": {row.pop("dimension"): _points(row) for row in present.to_dicts()},
        "metrics": [{**_named(row), **_points(row)} for row in metric_scores(scored.scores).to_dicts()],
        "categories": categories(scored.scores),
        "confidence": scored.confidence.to_dicts(),
        "phrasings": phrasings(scored.scores).to_dicts(),
        "over_refusal": over_refusal(scored.scores),
        "slices": _slices(scored.scores),
        "attack_success": attack_success(scored.scores).to_dicts(),
        "unscored": dict(reasons.iter_rows()), "null": Flips(**facts.null).told if facts.null else None,
        "judge": {"name": JUDGE, "digest": facts.judge_digest, "measured": record(JUDGE), **_rules()},
        "asked": scored.asked, "remembered": scored.remembered,
    }  # fmt: skip


def _rules() -> dict[str, object]:
    return {"rules": judge_record()["rules"]}


def _slices(scores: pl.DataFrame) -> list[dict[str, Any]]:
    """Score of each slice that is reported apart: unseen subjects, the mean of a wrapper, a dimension in domain."""
    own = scores.filter(~pl.col("slice").fill_null("seen").is_in(ALWAYS))
    unseen = summarise(scores.filter(slice=UNSEEN), DIMENSIONS).filter(
        pl.col("slice") == UNSEEN, pl.col("num_items") + pl.col("num_unscored") > 0
    )
    apart = pl.concat([unseen.with_columns(pl.col("dimension") + f" {UNSEEN}"), slice_scores(own)])
    return [{"slice": row.pop("dimension"), **_points(row)} for row in apart.to_dicts()]


def categories(scores: pl.DataFrame) -> list[dict[str, Any]]:
    """Mean value of each category, 0 to 1, with numbers of items."""
    value, keys = pl.col("value"), ["dimension", "metric", "category"]
    table = scores.filter(pl.col("slice").fill_null("seen") == "seen").group_by(keys).agg(
        mean=value.mean(), num_items=value.count().cast(pl.Int64), num_unscored=value.null_count().cast(pl.Int64)
    )  # fmt: skip
    return table.sort(keys).to_dicts()


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("dimension", "metric")}


def _points(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("score", "low", "high", "num_items", "num_unscored", "unscored_reason")}
