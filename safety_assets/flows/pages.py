"""Two texts filled from artefacts: a decision in Markdown, and the card of its weights. The page: `flows.evidence`."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from safety_assets.evals.forgotten import CATEGORIES
from safety_assets.flows.beside_served import beside_served
from safety_assets.flows.check_functions import origin
from safety_assets.flows.figures import read_figures
from safety_assets.flows.null_run import null_run
from safety_assets.flows.repairing import in_words
from safety_assets.flows.training import checkpoint_model
from safety_assets.flows.workspace import Workspace
from safety_assets.project import ModelSetting
from safety_assets.records import AUDITED, DELTAS, DIMENSION_SCORES, SOURCES
from safety_assets.release.card import About, model_card
from safety_assets.release.consistency import consistency_section
from safety_assets.release.decision import Decision, from_dict
from safety_assets.release.evidence import page
from safety_assets.release.section import Section
from safety_assets.store import Artefact

EVIDENCE = "evidence.html"
"""The evidence page among the files of a `release_decision`."""


@dataclass(frozen=True)
class Beside:
    """What stands on both pages of a decision and takes time to find: it is found once.

    Args:
        null: of `flows.null_run`.
        served: the candidate beside what is served; None as in `beside_served`.
        steady: how verdicts hold over draws; None where the policy does not ask for it.
    """

    null: Mapping[str, float | int | str]
    served: Section | None
    steady: Section | None


def beside(ws: Workspace, inputs: Mapping[str, Artefact]) -> Beside:
    """Read from the artefacts that a decision rests on, any of which may be absent."""
    scores = inputs.get("eval_scores")
    found = read_figures(scores).tables if scores else {}
    steady = consistency_section(found.get("consistency"), found.get("judges_agree"))
    return Beside(null_run(ws, inputs.get("safety_baseline")), beside_served(ws, scores), steady)


def evidence_text(ws: Workspace, decision: Decision, inputs: Mapping[str, Artefact], also: Beside) -> str:
    """The decision in Markdown, for a terminal and for Dagster; without scores it holds the reasons only."""
    scores = inputs.get("eval_scores")
    deltas = scores.frame("deltas", DELTAS) if scores else DELTAS.empty()
    return page(decision, deltas, ws.policy, also.served, null=also.null, consistency=also.steady)


def card_text(ws: Workspace, decided: Artefact) -> str:
    """The card of the weights that a decision is about."""
    scores, checkpoint = origin(decided, ws, "eval_scores"), origin(decided, ws, "finetuned_checkpoint")
    training, audited = checkpoint.json("training"), origin(checkpoint, ws, "audited_corpus")
    ratio, suite = origin(checkpoint, ws, "injection_ratio"), origin(scores, ws, "candidate_responses", "probe_suite")
    about = About(
        project=ws.project.settings.name,
        base=as_named(ws.project.settings.base_model),
        origins=_origins(ws, origin(checkpoint, ws, "base_model")),
        recipe=training["recipe"],
        counts=_counts(audited) | _read_as(checkpoint, ws),
        account=audited.json("account"),
        share=ratio.json("choice")["share"],
        curve=ratio.json("curve")["points"],
        training={**{k: v for k, v in training.items() if isinstance(v, int | float | str)}, **_changed_by(training)},
        scores=scores.frame("dimension_scores", DIMENSION_SCORES),
        deltas=scores.frame("deltas", DELTAS),
        categories=origin(decided, ws, "forgotten_behaviours").frame("categories", CATEGORIES),
        policy=ws.policy,
        probes=suite.digest,
        system_prompt=certified_prompt(checkpoint),
        null=null_run(ws, origin(decided, ws, "safety_baseline")),
        evidence=f"{decided.path.relative_to(ws.store.root).as_posix()}/{EVIDENCE}",
    )
    return model_card(from_dict(decided.json("decision"), required=()), about)


def as_named(model: ModelSetting) -> str:
    """A model as the project names it."""
    return model if isinstance(model, str) else f"{model.base or 'the base of the adapter'} with {model.adapter}"


def certified_prompt(checkpoint: Artefact) -> str | None:
    """The serving system prompt that stands in the template of a checkpoint; None where there is none."""
    from safety_assets.models.template import read_template, system_prompt_of

    return system_prompt_of(read_template(checkpoint_model(checkpoint)) or "")


def _origins(ws: Workspace, base: Artefact) -> dict[str, str]:
    """Base and anchor, each with the identity that was recorded of it."""
    settings, model = ws.project.settings, base.json("model")
    named = {"base": settings.base_model, "anchor": settings.anchor or settings.base_model}
    identity = {"base": model["identity"], "anchor": model["anchor_identity"]}
    return {what: f"{as_named(one)}, identity {identity[what]}" for what, one in named.items()}


def _changed_by(training: Mapping[str, list[dict]]) -> dict[str, str]:
    """What was done to the weights beside training."""
    told = {name: in_words(training.get(name, [])) for name in ("started_from", "repairs")}
    return {name: words for name, words in told.items() if words}


def _counts(audited: Artefact) -> dict[str, int]:
    """Rows by origin in the training split."""
    rows = audited.shards("rows", AUDITED).lazy().filter(pl.col("split") == "train")
    return dict(rows.group_by("origin").len().sort("origin").collect().iter_rows())


def _read_as(checkpoint: Artefact, ws: Workspace) -> dict[str, int]:
    """Rows of the corpus as it was given, by the shape that they were read as."""
    sources = origin(checkpoint, ws, "audited_corpus", "raw_corpus").frame("sources", SOURCES)
    by_shape = sources.group_by("shape").agg(pl.col("rows").sum()).sort("shape")
    return {f"given as {shape}": rows for shape, rows in by_shape.iter_rows() if rows}
