"""What answers and scores show beside the verdicts: calibration, phrasings, and suites that could not show a loss.

Nothing here decides anything, and nothing is asked of a model: it is all read from answers that are there.
"""

import contextlib
from pathlib import Path

import polars as pl

from safety_assets.errors import EvaluationError, StoreError
from safety_assets.evals.confidence import ALL, CONFIDENCE, confidence
from safety_assets.evals.informative import INFORMATIVE, in_sentences, informative, saturated
from safety_assets.evals.phrasings import PHRASINGS, phrasings, side_by_side
from safety_assets.flows.workspace import Workspace
from safety_assets.recipes import Recipe
from safety_assets.records import SCORES, Verdict
from safety_assets.release.closed import passed
from safety_assets.store import Artefact, write_frame, write_json


def write_readings(folder: Path, probes: pl.DataFrame, responses: pl.DataFrame, scores: pl.DataFrame) -> None:
    """Write `confidence` and `phrasings` of one model.

    Args:
        folder: of the artefact.
        probes: PROBES that were asked.
        responses: RESPONSES to them.
        scores: SCORES of them.
    """
    write_frame(folder, "confidence", confidence(probes, responses), CONFIDENCE)
    write_frame(folder, "phrasings", phrasings(scores), PHRASINGS)


def readings_shown(artefact: Artefact) -> dict[str, object]:
    """Both tables, and calibration over all categories as numbers; nothing of an artefact without them."""
    if not (artefact.path / "confidence.parquet").is_file():
        return {}
    sure = artefact.frame("confidence", CONFIDENCE)
    whole = {row["slice"]: row for row in sure.filter(category=ALL).to_dicts()}
    numbers = {f"{name}/{part}": row[name] for part, row in whole.items() for name in ("ece", "brier")}
    ways = side_by_side(artefact.frame("phrasings", PHRASINGS))
    return {**numbers, "confidence": sure, "safety_by_category": ways}


def saturated_shown(scores: pl.DataFrame) -> dict[str, object]:
    """Suites that the base has whole, which tell something only if plain fine-tuning loses them."""
    return {"saturated": saturated(scores)}


def is_plain(recipe: Recipe) -> bool:
    """Whether a recipe fine-tunes without any protection."""
    return recipe.injection == "none" and not (recipe.methods or recipe.start or recipe.finish)


def write_informative(ws: Workspace, folder: Path, recipe: str, base: Artefact, scores: pl.DataFrame) -> None:
    """Write `informative`, what each suite showed of plain fine-tuning, and `plain`, which candidate that was.

    A plain recipe is measured by itself; any other by the scores of a plain one against the same baseline, if there are
    any now. Without them the table is empty, and `plain` says why.

    Args:
        recipe: whose scores are made.
        base: the current `safety_baseline`.
        scores: SCORES of the candidate.
    """
    name, plain = (recipe, scores) if is_plain(ws.project.recipe(recipe)) else _scored_plain(ws, base.digest)
    table, why = INFORMATIVE.empty(), "No recipe without protection was scored against this baseline."
    if plain is not None:
        try:
            table, why = informative(base.frame("scores", SCORES), plain), ""
        except EvaluationError as error:
            why = str(error)
    write_frame(folder, "informative", table, INFORMATIVE)
    write_json(folder, "plain", {"recipe": name, "absent_because": why})


def _scored_plain(ws: Workspace, baseline: str) -> tuple[str, pl.DataFrame | None]:
    """Name and current SCORES of the first plain recipe that was scored against this baseline."""
    for name in ws.project.recipe_names():
        found = None
        if is_plain(ws.project.recipe(name)):
            with contextlib.suppress(StoreError):  # what cannot be read any more says nothing
                found = ws.store.find("eval_scores", name)
            if found is not None and found.manifest.inputs.get("safety_baseline") == baseline:
                return name, found.frame("scores", SCORES)
    return "", None


def informative_shown(artefact: Artefact) -> dict[str, object]:
    """The suites that say nothing, and against which recipe that was seen."""
    plain, table = artefact.json("plain"), artefact.frame("informative", INFORMATIVE)
    silent = table.filter(~pl.col("informative") & (pl.col("category") == ALL)).drop("category", "informative")
    against = plain["absent_because"] or plain["recipe"]
    return {"uninformative": silent, "uninformative_against": against}


def told_of_suites(scores: Artefact | None) -> dict[str, Verdict]:
    """A note for the decision on every suite that could not have shown a loss; nothing where there is none."""
    if scores is None or not (scores.path / "informative.parquet").is_file():
        return {}
    notes = list(in_sentences(scores.frame("informative", INFORMATIVE)))
    return {"suites_informative": passed("suites_informative", *notes)} if notes else {}
