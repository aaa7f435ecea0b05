"""The verdicts of a decision, recomputed from the artefacts that its manifest names."""

import functools
from collections.abc import Callable, Mapping

import polars as pl

from safety_assets.errors import StoreError
from safety_assets.evals.forgotten import CATEGORIES, FORGOTTEN
from safety_assets.evals.summary import over_refusal
from safety_assets.flows.apart import apart_verdicts, read_apart
from safety_assets.flows.figures import figure_verdicts, read_figures
from safety_assets.flows.further import further_verdicts
from safety_assets.flows.readings import told_of_suites
from safety_assets.flows.repairing import in_words
from safety_assets.flows.signed import accepted_losses, lost_categories, model_owners, signed_digest, signed_files
from safety_assets.flows.sources import model_digest
from safety_assets.flows.two_judges import found_by, review_verdicts
from safety_assets.flows.workspace import Workspace
from safety_assets.records import DELTAS, DIMENSION_SCORES, SCORES, TASK_SCORES, Table, Verdict
from safety_assets.release.closed import passed
from safety_assets.release.decision import Decision, Evidence, decide
from safety_assets.store import Artefact


def on_decision(check: str) -> Callable[[Artefact, Workspace], Verdict]:
    """The judge of one check: everything is decided anew from the evidence, and this check's verdict is read off."""

    def judge(artefact: Artefact, ws: Workspace) -> Verdict:
        signed = signed_digest(ws.project)
        verdicts = {verdict.check: verdict for verdict in _decided_again(ws, artefact.digest, signed).verdicts}
        return verdicts[check]

    return judge


@functools.lru_cache(maxsize=4)
def _decided_again(ws: Workspace, digest: str, signed: str) -> Decision:
    """One decision made anew for all its checks, as long as `signed`, the digest of the signed files, is the same."""
    artefact = ws.store.open(digest)
    inputs = {name: _opened(ws, used) for name, used in artefact.manifest.inputs.items() if name != "signed"}
    evidence = evidence_of(ws, artefact.partition, inputs, artefact.json("problems")["problems"])
    return decide(evidence, ws.policy)


def _opened(ws: Workspace, digest: str) -> Artefact | None:
    try:
        return ws.store.open(digest)
    except StoreError:
        return None  # what is missing refuses


def evidence_of(
    ws: Workspace, recipe: str, inputs: Mapping[str, Artefact | None], problems: list[str] | tuple[str, ...]
) -> Evidence:
    """Everything a decision rests on, read from artefacts; what is absent is None and refuses."""
    from safety_assets.flows.check_functions import today

    scores, checkpoint, policy = inputs.get("eval_scores"), inputs.get("finetuned_checkpoint"), inputs.get("policy")
    weights = model_digest(checkpoint.path / "model") if checkpoint else None
    forgotten, signed = inputs.get("forgotten_behaviours"), signed_files(ws.project, ws.policy)
    trained = checkpoint.manifest.inputs.get("policy") if checkpoint else None
    return Evidence(
        recipe=recipe,
        today=today(),
        deltas=_frame(scores, "deltas", DELTAS),
        scores=_frame(scores, "dimension_scores", DIMENSION_SCORES),
        task_scores=_frame(scores, "task_scores", TASK_SCORES),
        baseline_task_scores=_frame(scores, "base_task_scores", TASK_SCORES),
        over_refusal=over_refusal(scores.frame("scores", SCORES)) if scores else None,
        weights_now=weights,
        weights_scored=_named_weights(scores),
        policy_trained=trained,
        policy_now=policy.digest if policy else None,
        problems=tuple(problems),
        lost_categories=lost_categories(_frame(forgotten, "categories", CATEGORIES)),
        signed=signed,
        owners_then=model_owners(ws.store, trained),
        accepted_losses=accepted_losses(signed, _frame(forgotten, "forgotten", FORGOTTEN), weights),
        upstream=repairs_told(checkpoint)
        | told_of_suites(scores)
        | figure_verdicts(read_figures(scores) if scores else None, ws.policy)
        | further_verdicts(ws, _anchor(inputs.get("safety_baseline")), weights, signed=signed)
        | apart_verdicts(read_apart(scores), ws.policy, today(), waivers=signed.waivers(weights))
        | review_verdicts(found_by(scores), ws.policy, recipe),
        digests={name: used.digest for name, used in inputs.items() if used is not None},
    )


def _anchor(baseline: Artefact | None) -> str | None:
    """Identity digest of the weights that every loss is measured against."""
    return _only(baseline.frame("scores", SCORES)["model"].unique().to_list()) if baseline else None


def repairs_told(checkpoint: Artefact | None) -> dict[str, Verdict]:
    """A note on what was done to the weights beside training; nothing where nothing was."""
    training = checkpoint.json("training") if checkpoint else {}
    told = {"before training": training.get("started_from"), "after training": training.get("repairs")}
    notes = [f"Weights were changed {when}: {in_words(facts)}." for when, facts in told.items() if facts]
    return {"repairs_applied": passed("repairs_applied", *notes)} if notes else {}


def _frame(artefact: Artefact | None, name: str, table: Table) -> pl.DataFrame | None:
    return artefact.frame(name, table) if artefact else None


def _named_weights(scores: Artefact | None) -> dict[str, str | None]:
    """Each piece of evidence to the weights that it says it was made with."""
    if scores is None:
        return {}
    named = {"scores": scores.frame("scores", SCORES), "task_scores": scores.frame("task_scores", TASK_SCORES)}
    if (apart := read_apart(scores)) is not None:
        named["apart_scores"] = apart.scores["tuned"]
    return {name: _only(frame["model"].unique().to_list()) for name, frame in named.items()}


def _only(models: list[str]) -> str | None:
    return models[0] if len(models) == 1 else None
