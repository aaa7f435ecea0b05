"""Corpus: rows as given, the dose, the audit, the calibrated share, what is trained on."""

import json
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from safety_assets.corpus.account import account
from safety_assets.corpus.choose_pairs import chosen_pairs
from safety_assets.corpus.clean import write_audited
from safety_assets.corpus.given import read_as
from safety_assets.corpus.ingest import write_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.report import audited_page
from safety_assets.evals.calibration import Choice, Point, choose
from safety_assets.evals.summary import LOOKALIKE
from safety_assets.flows.audit import audit_shown, write_audit, write_residue
from safety_assets.flows.baseline import base_folder
from safety_assets.flows.checks import made
from safety_assets.flows.gates import admit
from safety_assets.flows.inputs import digests, take
from safety_assets.flows.tasks import SPLIT_SEED
from safety_assets.flows.views import write_views
from safety_assets.flows.workspace import Made, Markdown, Svg, Workspace, make, preview, source_digests, work_key
from safety_assets.frames import Shards
from safety_assets.method_specs import LowRankAdaptation
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED, FINDINGS, PAIRS, PROBES, QUARANTINE, ROWS, SOURCES
from safety_assets.release import plots
from safety_assets.store import WHOLE, Artefact, write_frame, write_json

SOURCES_SHOWN = 20
CHOICE_SEED = 0
"""Seed of the choice among pairs: fixed, so that recipes are compared on the same pairs."""


def raw_corpus(ws: Workspace) -> Made:
    """The corpus as it was given, one chat schema, unreadable rows apart with their reason."""

    def write(folder: Path) -> None:
        write_rows(ws.project.corpus, folder)

    artefact, cached = make(ws, "raw_corpus", write, inputs=source_digests(ws, "raw_corpus"))
    rows, quarantine = artefact.shards("rows", ROWS), artefact.shards("quarantine", QUARANTINE)
    shown = {
        "rows": rows.height, "quarantined": quarantine.height, "preview": preview(rows),
        "quarantine": preview(quarantine), "sources": _sources_shown(artefact),
    }  # fmt: skip
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
    """Findings per row with evidence, what the policy or a steward does with each, and a page that says so."""
    inputs = take(ws, "corpus_audit")
    wanted = digests(inputs) | source_digests(ws, "corpus_audit")
    artefact, cached = make(ws, "corpus_audit", lambda folder: write_audit(ws, inputs, folder), inputs=wanted)
    write_views(ws.store)
    return made(ws, artefact, cached, audit_shown(artefact))


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
            base_over_refusal=result["base"]["over_refusal"],
            max_safety_drop=rule.max_safety_drop,
            max_over_refusal=rule.max_over_refusal,
        )
        limits = {"max_safety_drop": rule.max_safety_drop, "max_over_refusal": rule.max_over_refusal}
        write_json(folder, "curve", _curve(result, choice) | {"trained": trained_as(ws), "limits": limits})
        write_json(folder, "choice", {"share": choice.share, "reasons": list(choice.reasons)})
        return {}

    artefact, cached = make(ws, "injection_ratio", write, inputs=wanted)
    return made(ws, artefact, cached, _curve_shown(artefact))


def _sweep_order(ws: Workspace, inputs: Mapping[str, Artefact], key: str) -> dict:
    work = ws.store.work(key)
    audit = inputs["corpus_audit"]
    raw = ws.store.open(audit.manifest.inputs["raw_corpus"])
    shutil.rmtree(work / "rows", ignore_errors=True)
    _assemble(ws, raw, audit, inputs["refusal_pairs"], work)
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
        "rows": str(work / "rows"),
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
    shown = {
        "share": choice["share"],
        "trained": curve["trained"],
        "dose_response": Svg(partial(dose_response, artefact)),
    }
    return shown | {"curve": pl.DataFrame(curve["points"])}


def dose_response(artefact: Artefact) -> str:
    """The curve of an `injection_ratio` as an SVG."""
    curve, choice = artefact.json("curve"), artefact.json("choice")
    points = [point for point in curve["points"] if point["safety"] is not None]
    lines = {
        "safety": [(p["share"], p["safety"]) for p in points],
        "fitted": [(p["share"], p["fitted"]) for p in points if p["fitted"] is not None],
        "over-refusal x 10": [(p["share"], 10 * p["over_refusal"]) for p in points if p["over_refusal"] is not None],
    }
    said = "no share keeps its limits" if choice["share"] is None else f"share {choice['share']:g} is chosen"
    return plots.line(lines | _limits(curve), f"Dose and response: {said}", "share of injected rows", "points")


def _limits(curve: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """The limits that a share must keep, as level lines over the shares tried."""
    shares = [point["share"] for point in curve["points"]]
    ends, base = (min(shares), max(shares)), curve["base"]["safety"]
    ceiling = 10 * curve["limits"]["max_over_refusal"]
    lines = {"most over-refusal x 10": [(share, ceiling) for share in ends]}
    if base is not None:
        least = max(0.0, base - curve["limits"]["max_safety_drop"])
        lines["least safety"] = [(share, least) for share in ends]
    return lines


def audited_corpus(ws: Workspace) -> Made:
    """What is trained on: kept rows and pairs with their origin, split by conversation group."""
    inputs = admit(ws, "audited_corpus", WHOLE)

    def write(folder: Path) -> None:
        raw, audit = inputs["raw_corpus"], inputs["corpus_audit"]
        audited = _assemble(ws, raw, audit, inputs["refusal_pairs"], folder)
        write_residue(ws, audited, audit, folder)
        rows, findings = raw.shards("rows", ROWS), audit.shards("findings", FINDINGS)
        counts = account(rows, raw.shards("quarantine", QUARANTINE), findings, audited)
        write_json(folder, "account", counts)
        (folder / "page.md").write_text(audited_page(counts, rows, findings), encoding="utf-8")

    sources = source_digests(ws, "audited_corpus")
    artefact, cached = make(ws, "audited_corpus", write, inputs=digests(inputs) | sources)
    write_views(ws.store)
    rows = artefact.shards("rows", AUDITED)
    counts = rows.lazy().group_by("origin", "split").len().sort("origin", "split").collect()
    page = Markdown((artefact.path / "page.md").read_text(encoding="utf-8"))
    shown = {"rows": rows.height, "by_origin": counts, "account": artefact.json("account"), "page": page}
    return made(ws, artefact, cached, shown | {"preview": preview(rows)})


def _assemble(ws: Workspace, raw: Artefact, audit: Artefact, pairs: Artefact, folder: Path) -> Shards:
    rows, findings = raw.shards("rows", ROWS), audit.shards("findings", FINDINGS)
    given, rule = pairs.frame("pairs", PAIRS), ws.policy.injection

    def choose(corpus: Shards) -> pl.DataFrame:
        return chosen_pairs(corpus, given, rule, seed=CHOICE_SEED)

    return write_audited(rows, findings, given, policy=ws.policy.corpus, seed=SPLIT_SEED, folder=folder, choose=choose)


def chosen_share(artefact: Artefact) -> float | None:
    """The calibrated share of an `injection_ratio`; None when no share fitted."""
    return json.loads((artefact.path / "choice.json").read_text())["share"]
