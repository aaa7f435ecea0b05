"""A gate's decision as one JSON document and as one page."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from safety_assets.evals.forgotten_page import page as forgotten_page
from safety_assets.flows.gating import Gated
from safety_assets.policy import DIMENSIONS
from safety_assets.records import DELTAS, Verdict
from safety_assets.release.consistency import consistency_section
from safety_assets.release.evidence import null_said
from safety_assets.release.evidence import page as evidence_page
from safety_assets.release.markdown import bullets
from safety_assets.release.section import Section

Row = Mapping[str, Any]


BUDGET = "regression_budget_"


def document(gated: Gated) -> dict[str, Any]:
    """The decision in JSON types; what was not measured is null."""
    found, decision = gated.findings, gated.decision
    return {
        "decision": decision.status,
        "checkpoint": found.name,
        "reasons": list(decision.reasons),
        "notes": list(decision.notes),
        "dimensions": dimensions(gated),
        "task": _task(gated),
        "checks": {v.check: v.status for v in decision.verdicts if not v.check.startswith(BUDGET)},
        "forgotten": forgotten_categories(gated).to_dicts(),
        "null": found.null.told if found.null else None,
        "consistency": None if (steady := _consistency(gated)) is None else steady.to_dicts(),
        "not_checked": list(found.not_checked),
        "decided_on": decision.decided_on,
        "base": found.digests.get("base"),
        "tuned": found.digests.get("tuned"),
        "policy": decision.digests["policy"],
        "probes": found.digests["probes"],
    }


def dimensions(gated: Gated) -> dict[str, dict[str, Any]]:
    """Dimension to its scores, drop with one-sided 95% bounds, budget and verdict; points on the 0-10 scale."""
    verdicts = {v.check: v for v in gated.decision.verdicts}
    base = _base_scores(gated)
    deltas = _by_dimension(gated.findings.deltas)
    return {
        name: _dimension(deltas.get(name, {}), base.get(name), gated, name, verdicts[f"{BUDGET}{name}"])
        for name in DIMENSIONS
    }


def _dimension(delta: Row, base: float | None, gated: Gated, name: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "base": delta.get("baseline", base),
        "tuned": delta.get("candidate"),
        "drop": delta.get("drop"),
        "low": delta.get("drop_low"),
        "high": delta.get("drop_high"),
        "budget": gated.findings.exam.policy.dimensions[name].max_drop,
        "verdict": verdict.status,
    }


def _base_scores(gated: Gated) -> dict[str, float | None]:
    if gated.findings.base is None:
        return {}
    seen = gated.findings.base.dimension_scores.filter(pl.col("slice") == "seen")
    return dict(seen.select("dimension", "score").iter_rows())


def _by_dimension(deltas: pl.DataFrame | None) -> dict[str, Row]:
    return {} if deltas is None else {row["dimension"]: row for row in deltas.iter_rows(named=True)}


def _task(gated: Gated) -> dict[str, Any] | None:
    """Shares of task items answered right; None when no task set was given."""
    if gated.findings.exam.tasks is None:
        return None
    verdict = next(v for v in gated.decision.verdicts if v.check == "task_floor")
    share, gain = verdict.numbers.get("share"), verdict.numbers.get("gain")
    return {
        "base": share - gain if isinstance(share, float) and isinstance(gain, float) else None,
        "tuned": share,
        "gain": gain,
        "floor": gated.findings.exam.policy.task.floor,
        "min_gain": gated.findings.exam.policy.task.min_gain,
        "verdict": verdict.status,
    }


def forgotten_categories(gated: Gated) -> pl.DataFrame:
    """Categories that lost items, most significant first: dimension, category, num_items, num_lost, num_gained."""
    columns = ("dimension", "category", "num_items", "num_lost", "num_gained")
    if gated.findings.forgotten is None:
        return pl.DataFrame(schema=list(columns))
    return gated.findings.forgotten.categories.filter(pl.col("num_lost") > 0).select(columns)


def _consistency(gated: Gated) -> pl.DataFrame | None:
    """CONSISTENCY, where the policy asks for it and it could be measured."""
    return gated.findings.figures.tables.get("consistency") if gated.findings.figures else None


def _section(gated: Gated) -> Section | None:
    figures = gated.findings.figures
    return consistency_section(_consistency(gated), figures.tables.get("judges_agree")) if figures else None


def page(gated: Gated) -> str:
    """The evidence in Markdown: decision, dimensions, what was forgotten, and what could not be checked."""
    found = gated.findings
    deltas = DELTAS.empty() if found.deltas is None else found.deltas
    null = {"num_flips": found.null.num_flips, **found.null.told} if found.null else {}
    parts = [evidence_page(gated.decision, deltas, found.exam.policy, null=null, consistency=_section(gated))]
    if found.forgotten is not None:
        beside = null_said(null) if null else ""
        parts.append(forgotten_page(found.forgotten, f"What {found.name} forgot", corpus_known=False, beside=beside))
    parts.append("\n".join(["# What could not be checked", "", *bullets(found.not_checked), ""]))
    return "\n".join(parts)
