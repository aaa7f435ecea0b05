"""Corpus: rows as given, the dose, the audit, the calibrated share, what is trained on."""

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from safety_assets.corpus.audit import audit_left, audit_rows, coverage
from safety_assets.corpus.choose_pairs import with_chosen_pairs
from safety_assets.corpus.clean import account, apply_findings, assemble
from safety_assets.corpus.ingest import read_as, read_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.evals.calibration import Choice, Point, choose
from safety_assets.evals.summary import LOOKALIKE
from safety_assets.flows.baseline import base_folder
from safety_assets.flows.checks import made
from safety_assets.flows.gates import admit
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.inputs import digests, take
from safety_assets.flows.tasks import SPLIT_SEED, examined_rows
from safety_assets.flows.workspace import Made, Markdown, Svg, Workspace, make, source_digests, work_key
from safety_assets.recipes import LowRankAdaptation, Recipe
from safety_assets.records import AUDITED, FINDINGS, PAIRS, PROBES, QUARANTINE, ROWS, SOURCES, TASKS
from safety_assets.release import plots
from safety_assets.store import WHOLE, Artefact, write_frame, write_json

SOURCES_SHOWN = 20
CHOICE_SEED = 0
"""Seed of the choice among pairs: fixed, so that recipes are compared on the same pairs."""


def raw_corpus(ws: Workspace) -> Made:
    """The corpus as it was given, one chat schema, unreadable rows apart with their reason."""

    def write(folder: Path) -> None:
        given = read_rows(ws.project.corpus)
        write_frame(folder, "rows", given.rows, ROWS)
        write_frame(folder, "quarantine", given.quarantine, QUARANTINE)
        write_frame(folder, "sources", given.sources, SOURCES)

    artefact, cached = make(ws, "raw_corpus", write, inputs=source_digests(ws, "raw_corpus"))
    rows, quarantine = artefact.frame("rows", ROWS), artefact.frame("quarantine", QUARANTINE)
    shown = {"rows": rows.height, "quarantined": quarantine.height, "preview": rows, "quarantine": quarantine}
    shown["sources"] = _sources_shown(artefact)
    return made(ws, artefact, cached, shown)


def refusal_pairs(ws: Workspace) -> Made:
    """The dose: refusal pairs by policy category, look-alikes and anchors."""

    def write(folder: Path) -> None:
        given = read_pairs(ws.project.refusal_pairs)
        write_frame(folder, "pairs", given.rows, PAIRS)
        write_frame(folder, "quarantine", given.quarantine, QUARANTINE)
        write_frame(folder, "sources", given.sources, SOURCES)

    artefact, cached = make(ws, "refusal_pairs", write, inputs=source_digests(ws, "refusal_pairs"))
    pairs = artefact.frame("pairs", PAIRS)
    kinds = pairs.group_by("kind", "category").len().sort("kind", "category")
    shown = {"pairs": pairs.height, "kinds": kinds, "preview": pairs, "sources": _sources_shown(artefact)}
    return made(ws, artefact, cached, shown)


def _sources_shown(artefact: Artefact) -> Markdown:
    """How each file was read, a line each: `support.csv: alpaca, 1,200 rows`."""
    sources = artefact.frame("sources", SOURCES).to_dicts()
    lines = [f"- {read_as(source)}" for source in sources[:SOURCES_SHOWN]]
    more = [f"- and {len(sources) - SOURCES_SHOWN} more"] if len(sources) > SOURCES_SHOWN else []
    return Markdown("\n".join(lines + more))


def corpus_audit(ws: Workspace) -> Made:
    """Findings per row with evidence, and what the policy does with each."""
    inputs = take(ws, "corpus_audit")
    rows, pairs = inputs["raw_corpus"].frame("rows", ROWS), inputs["refusal_pairs"].frame("pairs", PAIRS)
    examined = examined_rows(ws, inputs["task_set"], inputs["raw_corpus"], inputs["refusal_pairs"])

    def write(folder: Path) -> None:
        probes, tasks = inputs["probe_suite"].frame("probes", PROBES), inputs["task_set"].frame("tasks", TASKS)
        findings = audit_rows(rows, probes=probes, tasks=tasks, pairs=pairs, policy=ws.policy.corpus, held_out=examined)
        write_frame(folder, "findings", findings, FINDINGS)
        coverage(rows, pairs, ws.policy.injection.categories).write_parquet(folder / "coverage.parquet")
        write_json(folder, "summary", {"num_rows": rows.height, "num_findings": findings.height})

    sources = source_digests(ws, "corpus_audit")
    artefact, cached = make(ws, "corpus_audit", write, inputs=digests(inputs) | sources)
    findings = artefact.frame("findings", FINDINGS)
    counts = findings.group_by("finding", "action").agg(pl.len().alias("findings"), pl.col("row_id").n_unique())
    covered = pl.read_parquet(artefact.path / "coverage.parquet")
    shown = {"rows": rows.height, "findings": findings.height, "by_kind": counts.sort("finding"), "coverage": covered}
    return made(ws, artefact, cached, shown)


def injection_ratio(ws: Workspace) -> Made:
    """The calibrated share of injected rows, with the dose-response curve it was read from."""
    inputs = admit(ws, "injection_ratio", WHOLE)
    wanted = digests(inputs) | source_digests(ws, "injection_ratio")

    def write(folder: Path) -> Mapping[str, object]:
        result = ws.launch(_sweep_order(ws, inputs, work_key("injection_ratio", WHOLE, wanted)))
        points = [Point(**point) for point in result["points"]]
        rule = ws.policy.injection
        choice = choose(
            points,
            base_safety=result["base"]["safety"],
            max_safety_drop=rule.max_safety_drop,
            max_over_refusal=rule.max_over_refusal,
        )
        write_json(folder, "curve", _curve(result, choice) | {"trained": trained_as(ws)})
        write_json(folder, "choice", {"share": choice.share, "reasons": list(choice.reasons)})
        return {}

    artefact, cached = make(ws, "injection_ratio", write, inputs=wanted)
    return made(ws, artefact, cached, _curve_shown(artefact))


def _sweep_order(ws: Workspace, inputs: Mapping[str, Artefact], key: str) -> dict:
    work = ws.store.work(key)
    audit = inputs["corpus_audit"]
    raw = ws.store.open(audit.manifest.inputs["raw_corpus"])
    rows = _assembled(ws, raw, audit, inputs["refusal_pairs"])
    write_frame(work, "rows", rows, AUDITED)
    write_frame(work, "probes", sweep_probes(inputs["probe_suite"].frame("probes", PROBES)), PROBES)
    rule, recipe = ws.policy.injection, sweep_recipe(ws)
    shares = list(rule.shares)
    return {
        "kind": "calibrate",
        "repeats": rule.repeats,
        "max_hours": rule.max_hours,
        "recipe": recipe.model_dump(mode="json"),
        "shares": shares,
        "base": str(base_folder(ws, inputs["base_model"])),
        "rows": str(work / "rows.parquet"),
        "probes": str(work / "probes.parquet"),
        "baseline": {},
        "work": str(work),
        "result": str(work / "result.json"),
        "total_steps": recipe.optimiser.steps * len(shares) * rule.repeats,
        "processes": ws.project.settings.sweep_processes,
    } | place_settings(ws)


def sweep_recipe(ws: Workspace) -> Recipe:
    """The recipe of the sweep; with adapters in place of full training where the policy names a proxy."""
    rule = ws.policy.injection
    recipe = ws.project.recipe(rule.recipe)
    if rule.proxy is None or any(method.method == "lora" for method in recipe.methods):
        return recipe
    optimiser = recipe.optimiser.model_copy(update={"learning_rate": rule.proxy.learning_rate})
    adapter = LowRankAdaptation(method="lora", rank=rule.proxy.rank, alpha=2.0 * rule.proxy.rank)
    return recipe.model_copy(update={"methods": (adapter, *recipe.methods), "optimiser": optimiser})


def sweep_probes(probes: pl.DataFrame) -> pl.DataFrame:
    """The calibration probes of what the sweep reads: safety, and the look-alikes of over-refusal."""
    dimension, metric = LOOKALIKE
    alike = (pl.col("dimension") == dimension) & (pl.col("metric") == metric)
    read = (pl.col("split") == "calibrate") & ((pl.col("dimension") == "safety") | alike)
    return probes.filter(read)


def place_settings(ws: Workspace) -> dict:
    """The machine's part of an order: it may not change a result beyond the order of summation."""
    settings = ws.project.settings
    return {
        "device": settings.device,
        "devices": settings.devices,
        "sharding": settings.sharding,
        "threads": settings.threads,
        "max_new_tokens": settings.max_new_tokens,
        "generation_batch": settings.generation_batch,
        "seed": None,
    }


def trained_as(ws: Workspace) -> str:
    """How the models of the curve were trained, in words: a proxy says that it is one."""
    rule = ws.policy.injection
    times = f", {rule.repeats} seeds a share" if rule.repeats > 1 else ""
    if rule.proxy is None or sweep_recipe(ws) == ws.project.recipe(rule.recipe):
        return f"recipe {rule.recipe} at its full number of steps{times}"
    return f"a proxy: adapters of rank {rule.proxy.rank} in place of full training of {rule.recipe}{times}"


def _curve(result: Mapping[str, dict], choice: Choice) -> dict:
    fitted = choice.fitted or (None,) * len(result["points"])
    points = [{**point, "fitted": fit} for point, fit in zip(result["points"], fitted, strict=True)]
    return {"base": result["base"], "points": points}


def _curve_shown(artefact: Artefact) -> dict[str, object]:
    curve, choice = artefact.json("curve"), artefact.json("choice")
    points = [point for point in curve["points"] if point["safety"] is not None]
    lines = {
        "safety": [(p["share"], p["safety"]) for p in points],
        "fitted": [(p["share"], p["fitted"]) for p in points if p["fitted"] is not None],
        "over-refusal x 10": [(p["share"], 10 * p["over_refusal"]) for p in points if p["over_refusal"] is not None],
    }
    chart = plots.line(lines, "Dose and response", "share of injected rows", "points")
    shown = {"share": choice["share"], "trained": curve["trained"], "dose_response": Svg(chart)}
    return shown | {"curve": pl.DataFrame(curve["points"])}


def audited_corpus(ws: Workspace) -> Made:
    """What is trained on: kept rows and pairs with their origin, split by conversation group."""
    inputs = admit(ws, "audited_corpus", WHOLE)

    def write(folder: Path) -> None:
        raw, audit = inputs["raw_corpus"], inputs["corpus_audit"]
        rows = _assembled(ws, raw, audit, inputs["refusal_pairs"])
        write_frame(folder, "rows", rows, AUDITED)
        write_frame(folder, "residue", _residue(ws, rows, audit), FINDINGS)
        quarantine, findings = raw.frame("quarantine", QUARANTINE), audit.frame("findings", FINDINGS)
        write_json(folder, "account", account(raw.frame("rows", ROWS), quarantine, findings, rows))

    sources = source_digests(ws, "audited_corpus")
    artefact, cached = make(ws, "audited_corpus", write, inputs=digests(inputs) | sources)
    rows = artefact.frame("rows", AUDITED)
    counts = rows.group_by("origin", "split").len().sort("origin", "split")
    shown = {"rows": rows.height, "by_origin": counts, "account": artefact.json("account"), "preview": rows}
    return made(ws, artefact, cached, shown)


def _residue(ws: Workspace, rows: pl.DataFrame, audit: Artefact) -> pl.DataFrame:
    """Findings on what is left, by the same detectors on the same probes, tasks and pairs."""
    behind = {name: ws.store.open(audit.manifest.inputs[name]) for name in GRAPH["corpus_audit"].inputs}
    return audit_left(
        rows,
        probes=behind["probe_suite"].frame("probes", PROBES),
        tasks=behind["task_set"].frame("tasks", TASKS),
        pairs=behind["refusal_pairs"].frame("pairs", PAIRS),
        policy=ws.policy.corpus,
        held_out=examined_rows(ws, behind["task_set"], behind["raw_corpus"], behind["refusal_pairs"]),
    )


def _assembled(ws: Workspace, raw: Artefact, audit: Artefact, pairs: Artefact) -> pl.DataFrame:
    kept = apply_findings(raw.frame("rows", ROWS), audit.frame("findings", FINDINGS))
    share, given = ws.policy.corpus.held_out_share, pairs.frame("pairs", PAIRS)
    rows = assemble(kept, given, held_out_share=share, seed=SPLIT_SEED)
    return with_chosen_pairs(rows, given, ws.policy.injection, seed=CHOICE_SEED)


def chosen_share(artefact: Artefact) -> float | None:
    """The calibrated share of an `injection_ratio`; None when no share fitted."""
    return json.loads((artefact.path / "choice.json").read_text())["share"]
