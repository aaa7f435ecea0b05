"""The two pages people read: the evidence of a decision and the card of its weights, filled from artefacts."""

from collections.abc import Mapping

import polars as pl

from safety_assets.flows.check_functions import origin
from safety_assets.flows.repairing import in_words
from safety_assets.flows.workspace import Workspace
from safety_assets.records import AUDITED, DELTAS, DIMENSION_SCORES, SOURCES
from safety_assets.release.card import model_card
from safety_assets.release.decision import Decision, from_dict
from safety_assets.release.evidence import page
from safety_assets.store import Artefact


def evidence_text(ws: Workspace, decision: Decision, inputs: Mapping[str, Artefact]) -> str:
    """The evidence page; without scores it holds the reasons only."""
    scores = inputs.get("eval_scores")
    deltas = scores.frame("deltas", DELTAS) if scores else DELTAS.empty()
    return page(decision, deltas, ws.policy)


def card_text(ws: Workspace, decided: Artefact) -> str:
    """The card of the weights that a decision is about."""
    scores, checkpoint = origin(decided, ws, "eval_scores"), origin(decided, ws, "finetuned_checkpoint")
    training = checkpoint.json("training")
    return model_card(
        from_dict(decided.json("decision"), required=()),
        project=ws.project.settings.name,
        recipe=training["recipe"],
        counts=_counts(origin(checkpoint, ws, "audited_corpus")) | _read_as(checkpoint, ws),
        training={**{k: v for k, v in training.items() if isinstance(v, int | float | str)}, **_changed_by(training)},
        scores=scores.frame("dimension_scores", DIMENSION_SCORES),
        deltas=scores.frame("deltas", DELTAS),
        policy=ws.policy,
    )


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
