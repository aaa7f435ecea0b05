"""Runs of lm-evaluation-harness: kept by the weights they are of, and judged as further dimensions of the policy."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from safety_assets.errors import EvaluationError, ModelError, SafetyAssetsError
from safety_assets.evals.deltas import compare
from safety_assets.evals.dimension import Cell, Dimension
from safety_assets.evals.interchange.lm_eval_run import LmEvalRun, chosen, read_lm_eval
from safety_assets.evals.summary import summarise
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.sources import files_digest, model_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import FurtherDimension, Policy
from safety_assets.records import SCORES, Verdict
from safety_assets.release.acts import Act
from safety_assets.release.signed import Signed
from safety_assets.release.verdicts import further_budget, not_measured
from safety_assets.store import Artefact, write_frame, write_json

ASSET = "further_scores"


def take_in(ws: Workspace, folder: Path, model: str) -> Artefact:
    """Keep the latest run under a folder, as one of the weights with this identity digest.

    Raises:
        EvaluationError: there is no run with samples, or it names a folder that holds other weights.
    """
    run = read_lm_eval(folder, model)
    same = _same_files(run, model)

    def write(place: Path) -> None:
        write_frame(place, "scores", run.scores, SCORES)
        groups = {name: list(members) for name, members in run.groups.items()}
        write_json(place, "run", {"named": run.named, "same_files": same, "groups": groups})

    inputs = {"model": model, "results": files_digest(folder)}
    version = sources_version("evals.interchange", "records")
    return ws.store.publish(ASSET, write, partition=model, inputs=inputs, code_version=version, run_id=ws.run_id)


def _same_files(run: LmEvalRun, model: str) -> bool:
    """Whether the run names a folder that is here and holds these weights; where it is not here, nobody can tell."""
    folder = Path(run.named)
    if not run.named or not folder.is_dir():
        return False
    try:
        found = model_digest(folder)
    except ModelError:
        return False
    if found != model:
        raise EvaluationError(
            f"the run is of {run.named}, whose weights are {found[:12]}", expected=f"{model[:12]}, those of --model",
            do="name the model that was run",
        )  # fmt: skip
    return True


def further_verdicts(
    ws: Workspace, base: str | None, tuned: str | None, policy: Policy | None = None, signed: Signed | None = None
) -> dict[str, Verdict]:
    """One verdict for each further dimension of the policy; not certified where a run is missing or cannot be compared.

    Args:
        base, tuned: identity digests of the weights that are compared.
        policy: the project's by default.
        signed: the signed files of the project; without them nothing is waived.
    """
    law, waivers = policy or ws.policy, signed.waivers(tuned) if signed else {}
    return {
        f"further_{name}": _verdict(ws, name, rule, base, tuned, law, waivers.get(name))
        for name, rule in law.further.items()
    }


def _verdict(
    ws: Workspace,
    name: str,
    rule: FurtherDimension,
    base: str | None,
    tuned: str | None,
    law: Policy,
    waiver: Act | None,
) -> Verdict:
    from safety_assets.flows.check_functions import today

    try:
        runs = {side: _run(ws, rule, weights, side) for side, weights in (("base", base), ("tuned", tuned))}
        before, after = (_scores(kept, name, rule) for kept in runs.values())
        dimension = Dimension(name, _mean, rule.task)
        (delta,) = compare(before, after, [dimension], {name: rule.rule.certify_within}).to_dicts()
        score = summarise(after, [dimension]).filter(pl.col("slice") == "seen").to_dicts()[0]
    except SafetyAssetsError as error:
        return not_measured(name, str(error))
    found = further_budget(name, rule.rule, delta, score, law.probes, today(), waiver)
    return replace(found, numbers={**found.numbers, **{f"{side}_run": kept.digest for side, kept in runs.items()}})


def _mean(means: Mapping[Cell, np.ndarray]) -> np.ndarray:
    """All items stand in one cell: each weighs the same, as lm_eval weighs them."""
    (only,) = means.values()
    return only


def _run(ws: Workspace, rule: FurtherDimension, weights: str | None, side: str) -> Artefact:
    """The run of one side, verified; EvaluationError where there is none."""
    kept = ws.store.find(ASSET, weights) if weights else None
    if kept is None:
        raise EvaluationError(
            f"{rule.task} was not run on the {side} model", expected="a run of lm_eval with samples",
            do=f"run lm_eval --tasks {rule.task} --log_samples on it, then safety-assets import",
        )  # fmt: skip
    kept.verify()
    return kept


def _scores(kept: Artefact, name: str, rule: FurtherDimension) -> pl.DataFrame:
    """SCORES of what the rule is about."""
    run = kept.json("run")
    groups = {group: tuple(members) for group, members in run["groups"].items()}
    known = LmEvalRun(named=run["named"], scores=kept.frame("scores", SCORES), groups=groups)
    return chosen(known, rule.task, f"{rule.metric},{rule.filter}", name)


def told(kept: Artefact) -> dict[str, Any]:
    """What was taken in, in JSON types."""
    run, scores = kept.json("run"), kept.frame("scores", SCORES)
    tasks = scores.group_by("dimension").agg(pl.col("probe_id").n_unique()).sort("dimension")
    return {
        "model": kept.partition, "named": run["named"], "same_files": run["same_files"],
        "tasks": dict(tasks.iter_rows()), "digest": kept.digest,
    }  # fmt: skip
