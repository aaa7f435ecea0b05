"""The evidence page of a decision, filled from the artefacts it rests on. What is not at hand is left out and named."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import polars as pl

from safety_assets.corpus.passes import masked_text
from safety_assets.errors import StoreError
from safety_assets.evals.forgotten import CATEGORIES, FORGOTTEN
from safety_assets.evals.forgotten_page import summary
from safety_assets.flows.check_functions import origin
from safety_assets.flows.corpus import dose_response
from safety_assets.flows.pages import Beside, as_named, certified_prompt
from safety_assets.flows.training import points
from safety_assets.flows.workspace import Workspace
from safety_assets.records import DELTAS, HISTORY
from safety_assets.release import plots
from safety_assets.release.decision import Decision
from safety_assets.release.evidence_page import Drawing, Shown, html_page, told
from safety_assets.release.section import Grid, Section
from safety_assets.store import Artefact

T = TypeVar("T")

CORPUS, SHARE, TRAINING, MODELS = "The corpus", "The injected share", "How it was trained", "Base, anchor and prompt"


def evidence_html(ws: Workspace, decision: Decision, inputs: Mapping[str, Artefact], also: Beside) -> str:
    """The page as one HTML document.

    Args:
        decision: what was decided.
        inputs: the artefacts that it rests on, by asset; any may be absent.
        also: what stands on the Markdown page too.
    """
    scores, checkpoint = inputs.get("eval_scores"), inputs.get("finetuned_checkpoint")
    forgotten = inputs.get("forgotten_behaviours")
    deltas = scores.frame("deltas", DELTAS) if scores else DELTAS.empty()
    categories = forgotten.frame("categories", CATEGORIES) if forgotten else None
    behind = _behind(ws, checkpoint)
    shown = Shown(
        project=ws.project.settings.name,
        deltas=deltas,
        policy=ws.policy,
        mask=masked_text,
        items=forgotten.frame("forgotten", FORGOTTEN) if forgotten else None,
        categories=categories,
        forgotten_said="" if categories is None else summary(categories),
        null=also.null,
        sections=[*filter(None, [also.served, also.steady]), *_sections(ws, checkpoint, behind)],
        drawings=list(_drawings(deltas, ws, checkpoint, behind.get("injection_ratio"))),
    )
    return html_page(decision, shown)


def _behind(ws: Workspace, checkpoint: Artefact | None) -> dict[str, Artefact]:
    """What a checkpoint was made from, as far as it is there."""
    if checkpoint is None:
        return {}
    wanted = ("audited_corpus", "injection_ratio", "base_model")
    found = {name: _or_none(lambda name=name: origin(checkpoint, ws, name)) for name in wanted}  # type: ignore[misc]
    return {name: artefact for name, artefact in found.items() if artefact is not None}


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except StoreError:
        return None


def _sections(ws: Workspace, checkpoint: Artefact | None, behind: Mapping[str, Artefact]) -> Iterator[Section]:
    if "audited_corpus" in behind:
        yield _corpus(behind["audited_corpus"].json("account"))
    if "injection_ratio" in behind:
        yield _share(behind["injection_ratio"])
    if checkpoint is not None:
        yield _training(checkpoint)
    if checkpoint is not None and "base_model" in behind:
        yield _models(ws, checkpoint, behind["base_model"].json("model"))


def _corpus(account: Mapping[str, Any]) -> Section:
    counts = [(name.replace("_", " "), value) for name, value in account.items() if isinstance(value, int)]
    found = [(kind, action, n) for kind, of in account["actions"].items() for action, n in of.items()]
    tables = [Grid(("lines", "number"), counts), Grid(("finding", "action", "findings"), found)]
    return Section(title=CORPUS, sentences=["What the audit found, and what became of every line."], tables=tables)


def _share(ratio: Artefact) -> Section:
    curve, choice = ratio.json("curve"), ratio.json("choice")
    names = ("share", "safety", "safety_low", "safety_high", "fitted", "over_refusal")
    rows = [tuple(point[name] for name in names) for point in curve["points"]]
    said = (
        "No share keeps its limits." if choice["share"] is None else f"The calibrated share is {choice['share']:.1%}."
    )
    sentences = [f"{said} Trained for the curve: {curve['trained']}.", *choice["reasons"]]
    return Section(title=SHARE, sentences=sentences, tables=[Grid([n.replace("_", " ") for n in names], rows)])


def _training(checkpoint: Artefact) -> Section:
    training = checkpoint.json("training")
    facts = {**training, **checkpoint.manifest.facts}
    rows = [(name.replace("_", " "), v) for name, v in sorted(facts.items()) if isinstance(v, int | float | str)]
    left = f"{len(training['quarantined'])} rows were set aside in training." if training["quarantined"] else ""
    sentences = ["The recipe as it was read, and the facts of the run.", *filter(None, [left])]
    return Section(
        title=TRAINING, sentences=sentences, tables=[Grid(("fact", "value"), rows)], text=told(training["recipe"])
    )


def _models(ws: Workspace, checkpoint: Artefact, model: Mapping[str, Any]) -> Section:
    settings, prompt = ws.project.settings, certified_prompt(checkpoint)
    rows = [
        ("base", as_named(settings.base_model), model["identity"]),
        ("anchor", as_named(settings.anchor or settings.base_model), model["anchor_identity"]),
    ]
    said = "It was scored without a system prompt." if prompt is None else "It was scored with this system prompt:"
    return Section(title=MODELS, sentences=[said], tables=[Grid(("what", "named", "identity"), rows)], text=prompt)


def _drawings(
    deltas: pl.DataFrame, ws: Workspace, checkpoint: Artefact | None, ratio: Artefact | None
) -> Iterator[Drawing]:
    if deltas.height:
        before, after = (dict(deltas.select("dimension", side).iter_rows()) for side in ("baseline", "candidate"))
        budgets = {
            name: None if isinstance(rule.max_drop, str) else rule.max_drop
            for name, rule in ws.policy.dimensions.items()
        }
        bars = plots.bars_per_dimension(before, after, budgets)
        yield Drawing(
            "scores", bars, "Bars of each dimension's score, baseline and candidate; the table has the figures"
        )
    if ratio is not None:
        said = "Safety and over-refusal against the share of injected rows; the table has the figures"
        yield Drawing(SHARE, dose_response(ratio), said)
    if checkpoint is not None:
        history = checkpoint.frame("history", HISTORY)
        loss = plots.line({"loss": points(history, "loss")}, "Loss", "step", "nats per token")
        yield Drawing(TRAINING, loss, "Loss against optimiser step")
        names = history.filter(pl.col("series").str.starts_with("watch/"))["series"].unique().sort()
        watched = {name.removeprefix("watch/"): points(history, name) for name in names}
        watch = plots.line(watched, "Watch probes", "step", "score")
        yield Drawing(TRAINING, watch, "Scores on the watch probes against optimiser step")
