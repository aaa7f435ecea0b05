"""Evaluation: what a candidate says, how it scores against the anchor, what it forgot, and how recipes compare."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import polars as pl

from safety_assets.corpus.passes import masked_text
from safety_assets.errors import SafetyAssetsError
from safety_assets.evals.ask import ask
from safety_assets.evals.deltas import compare
from safety_assets.evals.forgotten import FORGOTTEN, forgotten
from safety_assets.evals.forgotten_page import page
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.evals.tasks import score_tasks, task_score
from safety_assets.flows.apart import Apart, apart_shown, asked_apart, measure_apart, read_apart, write_apart
from safety_assets.flows.asking import local, remembered
from safety_assets.flows.baseline import anatomy_prompts, anchor_folder, gate_probes, scores_shown, write_answers
from safety_assets.flows.checks import made
from safety_assets.flows.figures import figures_shown, measured, read_figures, write_figures
from safety_assets.flows.inputs import digests, take
from safety_assets.flows.judge_record import judge_record
from safety_assets.flows.null_run import null_run
from safety_assets.flows.readings import informative_shown, readings_shown, write_informative, write_readings
from safety_assets.flows.training import checkpoint_model
from safety_assets.flows.two_judges import base_scores, found_by, with_second_judge, write_twice
from safety_assets.flows.workspace import Made, Markdown, Svg, Workspace, make, source_digests
from safety_assets.records import AUDITED, DELTAS, DIMENSION_SCORES, PAIRS, RESPONSES, SCORES, TASK_SCORES, TASKS
from safety_assets.release import plots
from safety_assets.release.evidence import null_said
from safety_assets.store import Artefact, write_frame, write_json


def candidate_responses(ws: Workspace, recipe: str) -> Made:
    """What the candidate says to the gate probes and the task set."""
    inputs = take(ws, "candidate_responses", recipe)

    def write(folder: Path) -> Mapping[str, object]:
        model = remembered(ws, local(ws, checkpoint_model(inputs["finetuned_checkpoint"])))
        probes, tasks = gate_probes(inputs["probe_suite"]), inputs["task_set"].frame("tasks", TASKS)
        write_answers(ws, folder, model, probes, tasks)
        write_json(folder, "asked", {"probe_suite": inputs["probe_suite"].digest, "model": model.model})
        return {}

    sources = source_digests(ws, "candidate_responses")
    artefact, cached = make(ws, "candidate_responses", write, inputs=digests(inputs) | sources, partition=recipe)
    responses = artefact.frame("responses", RESPONSES)
    shown = {"responses": responses.height, "cut_at_length": responses.filter(pl.col("finish") == "length").height}
    return made(ws, artefact, cached, shown)


def eval_scores(ws: Workspace, recipe: str) -> Made:
    """Scores per dimension, deltas to the anchor with paired intervals, task scores of both."""
    inputs = take(ws, "eval_scores", recipe)
    asked, base = inputs["candidate_responses"], inputs["baseline_responses"]

    def write(folder: Path) -> None:
        probes = gate_probes(ws.store.open(asked.manifest.inputs["probe_suite"]))
        tasks = ws.store.open(asked.manifest.inputs["task_set"]).frame("tasks", TASKS)
        responses = {"base": base.frame("responses", RESPONSES), "tuned": asked.frame("responses", RESPONSES)}
        headline: Mapping[str, pl.DataFrame] = {
            "base": inputs["safety_baseline"].frame("scores", SCORES), "tuned": judge(probes, responses["tuned"])
        }  # fmt: skip
        apart = _apart(ws, inputs, probes, tasks, headline)
        twice, headline, apart = with_second_judge(ws, ws.policy, probes, responses, headline, apart)
        before, scores = headline["base"], headline["tuned"]
        within = {name: rule.certify_within for name, rule in ws.policy.dimensions.items()}
        metric = ws.project.settings.task_metric
        write_frame(folder, "scores", scores, SCORES)
        write_json(folder, "judge", judge_record())
        write_frame(folder, "dimension_scores", summarise(scores, DIMENSIONS), DIMENSION_SCORES)
        write_frame(folder, "deltas", compare(before, scores, DIMENSIONS, within), DELTAS)
        for name, source in (("task_scores", asked), ("base_task_scores", base)):
            answers = source.frame("task_responses", RESPONSES)
            write_frame(folder, name, score_tasks(tasks, answers, metric), TASK_SCORES)
        write_readings(folder, probes, responses["tuned"], scores)
        write_informative(ws, folder, recipe, inputs["safety_baseline"], scores)
        if apart is not None:
            write_apart(folder, apart)
        if twice is not None:
            write_twice(folder, twice)
        checkpoint = ws.store.open(asked.manifest.inputs[CHECKPOINT])
        anchor = anchor_folder(ws, inputs["base_model"])
        write_figures(folder, measured(ws, ws.policy, anchor, checkpoint_model(checkpoint), probes))
        write_json(folder, "drift", _drift(ws, checkpoint, inputs[ANATOMY]))

    sources = source_digests(ws, "eval_scores", recipe)
    artefact, cached = make(ws, "eval_scores", write, inputs=digests(inputs) | sources, partition=recipe)
    null = _null_shown(ws, inputs["safety_baseline"])
    judges = {f"judges/{name}": value for name, value in (found_by(artefact) or {}).items()}
    return made(ws, artefact, cached, deltas_shown(artefact, _budgets(ws)) | null | judges)


def _null_shown(ws: Workspace, baseline: Artefact | None) -> dict[str, object]:
    """How much of the base flips against itself, for the metadata of what is compared with it."""
    return {f"null_run/{name}": value for name, value in null_run(ws, baseline).items()}


def _apart(
    ws: Workspace, inputs: Mapping[str, Artefact], probes: pl.DataFrame, tasks: pl.DataFrame,
    headline: Mapping[str, pl.DataFrame],
) -> Apart | None:  # fmt: skip
    """The slices that the policy wants gated apart, asked of base and candidate; what either said before is kept."""
    asked = asked_apart(probes, lambda: tasks, ws.policy.probes, ws.project.settings.system_prompt)
    if asked.is_empty():
        return None
    checkpoint = ws.store.open(inputs["candidate_responses"].manifest.inputs[CHECKPOINT])
    folders = {"base": anchor_folder(ws, inputs["base_model"]), "tuned": checkpoint_model(checkpoint)}
    length = ws.project.settings.max_new_tokens
    models = {side: remembered(ws, local(ws, folder)) for side, folder in folders.items()}
    asks = {side: partial(ask, generator=model, max_new_tokens=length) for side, model in models.items()}
    return measure_apart(asked, asks, headline, ws.policy.probes)


def _drift(ws: Workspace, checkpoint: Artefact, read: Artefact) -> dict[str, object]:
    """Advisory figures on the candidate's states; why there are none where it cannot be compared."""
    from safety_assets.methods.anatomy_files import read_anatomy
    from safety_assets.methods.drift import drift
    from safety_assets.models.load import load_model

    settings = ws.project.settings
    pairs = ws.store.open(read.manifest.inputs["refusal_pairs"]).frame("pairs", PAIRS)
    try:
        loaded = load_model(checkpoint_model(checkpoint), device=settings.device, threads=settings.threads)
        return asdict(drift(read_anatomy(read.path), loaded, *anatomy_prompts(pairs)))
    except SafetyAssetsError as error:
        return {"absent_because": str(error)}


def deltas_shown(artefact: Artefact, budgets: Mapping[str, float | None]) -> dict[str, object]:
    """Numeric score and delta per dimension, the bars, the table, the task score."""
    deltas = artefact.frame("deltas", DELTAS)
    before, after = (dict(deltas.select("dimension", side).iter_rows()) for side in ("baseline", "candidate"))
    bars = {"bars": Svg(partial(plots.bars_per_dimension, before, after, budgets))}
    numbers = {
        f"delta/{name}": -drop for name, drop in deltas.select("dimension", "drop").iter_rows() if drop is not None
    }
    table = deltas.select("dimension", "baseline", "candidate", "drop", "drop_high", "num_lost", "unscored_reason")
    tasks = {"task_score": task_share(artefact), "base_task_score": task_share(artefact, "base_task_scores")}
    drift = {f"drift/{name}": value for name, value in artefact.json("drift").items()}
    shown = {**scores_shown(artefact), **numbers, **tasks, **drift, **bars, "deltas": table}
    shown |= apart_shown(read_apart(artefact))
    return shown | readings_shown(artefact) | informative_shown(artefact) | figures_shown(read_figures(artefact))


def _budgets(ws: Workspace) -> dict[str, float | None]:
    """Dimension to the points it may lose; None where the budget is `any`."""
    return {
        name: None if isinstance(rule.max_drop, str) else rule.max_drop for name, rule in ws.policy.dimensions.items()
    }


def task_share(artefact: Artefact, name: str = "task_scores") -> float | None:
    """Task score of the candidate, or of the base; None when no item is scored."""
    return task_score(artefact.frame(name, TASK_SCORES))


def forgotten_behaviours(ws: Workspace, recipe: str) -> Made:
    """What the anchor did and the candidate no longer does, by category, with examples and likely causes."""
    inputs = take(ws, "forgotten_behaviours", recipe)

    def write(folder: Path) -> None:
        suite = ws.store.open(inputs["candidate_responses"].manifest.inputs["probe_suite"])
        found = forgotten(
            base_scores(inputs["eval_scores"], inputs["safety_baseline"]),
            inputs["eval_scores"].frame("scores", SCORES),
            gate_probes(suite),
            inputs["baseline_responses"].frame("responses", RESPONSES),
            inputs["candidate_responses"].frame("responses", RESPONSES),
            inputs["audited_corpus"].shards("rows", AUDITED),
        )
        write_frame(folder, "forgotten", found.items, FORGOTTEN)
        found.categories.write_parquet(folder / "categories.parquet")
        null = null_run(ws, inputs["safety_baseline"])
        beside = null_said(null) if null else ""
        (folder / "page.md").write_text(masked_text(page(found, f"What {recipe} forgot", beside=beside)))

    artefact, cached = make(ws, "forgotten_behaviours", write, inputs=digests(inputs), partition=recipe)
    categories = pl.read_parquet(artefact.path / "categories.parquet")
    shown = {
        "lost": int(categories["num_lost"].sum()),
        "gained": int(categories["num_gained"].sum()),
        "page": Markdown((artefact.path / "page.md").read_text()),
    }
    return made(ws, artefact, cached, shown)


def recipe_leaderboard(ws: Workspace) -> Made:
    """All recipes scored so far, as a table and as a Pareto plot. It finds the current scores itself."""
    names = [name for name in ws.store.partitions("eval_scores") if name in ws.project.recipe_names()]
    scored = {name: ws.store.current("eval_scores", name) for name in names}

    def write(folder: Path) -> None:
        pl.DataFrame([_standing(ws, name, scores) for name, scores in scored.items()]).write_parquet(
            folder / "leaderboard.parquet"
        )

    inputs = {f"eval_scores.{name}": scores.digest for name, scores in scored.items()}
    artefact, cached = make(ws, "recipe_leaderboard", write, inputs=inputs)
    table = leaderboard(artefact)
    bases = {scores.manifest.inputs["safety_baseline"] for scores in scored.values()}
    null = _null_shown(ws, ws.store.open(bases.pop())) if len(bases) == 1 else {}
    return made(ws, artefact, cached, {"leaderboard": table, "pareto": Svg(partial(pareto, table)), **null})


def pareto(table: pl.DataFrame) -> str:
    """Safety retained against task gained, as a drawing; the area is in proportion to the seconds of training."""
    compared = table.select(COMPARED).iter_rows() if len(table) else ()
    entries = [
        plots.Entry(name, gain, kept, seconds, "" if seconds is None else f"{seconds:.0f} s")
        for name, gain, kept, seconds in compared
    ]
    return plots.pareto(entries, "Safety retained against task gained", "task score gained", "share of safety kept")


def leaderboard(artefact: Artefact) -> pl.DataFrame:
    """One row per recipe, the least loss first."""
    table = pl.read_parquet(artefact.path / "leaderboard.parquet")
    return table.sort("worst_drop", "task_score", descending=[False, True], nulls_last=True) if len(table) else table


def _standing(ws: Workspace, name: str, scores: Artefact) -> dict[str, object]:
    deltas = scores.frame("deltas", DELTAS)
    drops = [drop for drop in deltas["drop"] if drop is not None]
    task, task_before = task_share(scores), task_share(scores, "base_task_scores")
    checkpoint = ws.store.open(ws.store.open(scores.manifest.inputs["candidate_responses"]).manifest.inputs[CHECKPOINT])
    return {
        "recipe": name,
        "task_score": task,
        "task_gained": None if task is None or task_before is None else task - task_before,
        "safety_retained": safety_retained(deltas),
        "worst_drop": max(drops) if len(drops) == deltas.height and drops else None,
        "dimensions_unscored": deltas.height - len(drops),
        "over_refusal": over_refusal(scores.frame("scores", SCORES))["rate"],
        "seconds": checkpoint.manifest.facts.get("seconds"),
        **dict(deltas.select("dimension", "candidate").iter_rows()),
    }


def safety_retained(deltas: pl.DataFrame) -> float | None:
    """The candidate's safety score as a share of the anchor's; None where there is no delta, or the anchor has 0.

    Args:
        deltas: DELTAS.
    """
    safety = deltas.filter(dimension="safety").row(0, named=True)
    return None if safety["drop"] is None or not safety["baseline"] else 1 - safety["drop"] / safety["baseline"]


CHECKPOINT, ANATOMY = "finetuned_checkpoint", "safety_anatomy"
COMPARED = ("recipe", "task_gained", "safety_retained", "seconds")
