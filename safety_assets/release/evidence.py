"""The page of a decision in Markdown: the verdict first, then each dimension, the reasons and the digests."""

from collections.abc import Mapping

import polars as pl

from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.records import DELTAS, Verdict
from safety_assets.release.apart_page import apart_section, is_apart
from safety_assets.release.decision import Decision
from safety_assets.release.markdown import bullets, cell, digest_table, percent, points, section_lines, table
from safety_assets.release.section import word_of

SAYS = {
    "approved": "Approved. {recipe} may be released: every required check passes on these weights.",
    "rejected": "Rejected. {recipe} must not be released: {failed} of {all} checks failed.",
    "not_certified": "Not certified. {recipe} is not released: nothing failed, {open} of {all} checks are open.",
}
COLUMNS = ("dimension", "rank", "baseline", "candidate", "drop", "95% bounds", "budget", "lost / gained", "verdict")
"""Of the table of dimensions, on both pages."""
SCALE = (
    "Points on the 0-10 scale. A positive drop is a loss against the originally aligned model. Bounds are one-sided, "
    "95% each."
)


def page(
    decision: Decision,
    deltas: pl.DataFrame,
    policy: Policy,
    served: pl.DataFrame | None = None,
    figure: str = "",
    null: Mapping[str, object] | None = None,
) -> str:
    """The evidence page.

    Args:
        decision: what was decided.
        deltas: DELTAS of the candidate against the anchor.
        policy: the policy obeyed.
        served: DELTAS against the model that is served now; its drops stand beside, for information.
        null: `num_flips` and `num_items` of the base asked twice; left out where that is not known.
        figure: an SVG to show, trusted (from `release.plots`).
    """
    lines = [
        f"# Release decision: {cell(decision.recipe)}",
        "",
        headline(decision),
        "",
        f"Decided on {decision.decided_on}.",
    ]
    if decision.reasons:
        lines += ["", "## Why not", "", *bullets(decision.reasons)]
    lines += ["", "## Dimensions", "", *_dimensions(decision, deltas, policy, served)]
    lines += ["", SCALE]
    lines += ["", null_said(null)] if null else []
    lines += ["", *section_lines(apart_section(decision.verdicts))][:-1]
    lines += ["", figure] if figure else []
    lines += ["", "## Other checks", "", *_others(decision)]
    if decision.notes:
        lines += ["", "## Known and accepted", "", *bullets(decision.notes)]
    lines += ["", "## Digests", "", *digest_table({**decision.digests, "decision": decision.digest})]
    return "\n".join(lines) + "\n"


def null_said(null: Mapping[str, object]) -> str:
    """The second run of the base against its first, in one sentence."""
    flips, items = null.get("num_flips"), null.get("num_items")
    if not isinstance(flips, int) or not isinstance(items, int) or not items:
        return "Base against base: the second run of the base cannot be compared with the first."
    return f"Base against base, asked the same twice: {flips} of {items} verdicts flip ({percent(flips / items)})."


def headline(decision: Decision) -> str:
    """The decision in one sentence of Markdown."""
    verdict, rest = headline_text(decision).split(".", 1)
    return f"**{verdict}.** {cell(rest)}"


def headline_text(decision: Decision) -> str:
    """The decision in one sentence."""
    failed = sum(v.status == "fail" for v in decision.verdicts)
    opened = sum(v.status == "not_certified" for v in decision.verdicts)
    counts = {"failed": failed, "open": opened, "all": len(decision.verdicts)}
    return SAYS[decision.status].format(recipe=decision.recipe, **counts)


def _dimensions(decision: Decision, deltas: pl.DataFrame, policy: Policy, served: pl.DataFrame | None) -> list[str]:
    now = {} if served is None else _by_dimension(served)
    rows = []
    for row in dimension_rows(decision, deltas, policy):
        name, *values, _, verdict = row.values()
        rows.append([name, *map(cell, values), cell(verdict)])
        if served is not None:
            rows[-1].append(points(now.get(str(name), {}).get("drop")))
    return table([*COLUMNS, "drop to served"] if served is not None else COLUMNS, rows)


def dimension_rows(decision: Decision, deltas: pl.DataFrame, policy: Policy) -> list[dict[str, object]]:
    """What is shown of each dimension, as text: name, rank, scores, drop, bounds, budget, changed, status, verdict.

    Args:
        deltas: DELTAS of the candidate against the anchor.
    """
    measured = _by_dimension(deltas)
    return [_dimension(name, measured.get(name, {}), policy, _verdict(decision, name)) for name in DIMENSIONS]


def _dimension(name: str, row: dict, policy: Policy, verdict: Verdict | None) -> dict[str, object]:
    rule, counts = policy.dimensions[name], (row.get("num_lost", "-"), row.get("num_gained", "-"))
    return {
        "name": name, "rank": rule.rank, "baseline": points(row.get("baseline")),
        "candidate": points(row.get("candidate")), "drop": points(row.get("drop")),
        "bounds": f"{points(row.get('drop_low'))} to {points(row.get('drop_high'))}",
        "budget": f"{rule.max_drop}, within {rule.certify_within}", "changed": f"{counts[0]} / {counts[1]}",
        "status": verdict.status if verdict else "", "verdict": word_of(verdict),
    }  # fmt: skip


def _others(decision: Decision) -> list[str]:
    rows = [(cell(v.check), cell(word_of(v)), cell(figures_of(v))) for v in other_verdicts(decision)]
    return table(("check", "verdict", "figures"), rows)


def other_verdicts(decision: Decision) -> list[Verdict]:
    """The verdicts that are no regression budget, of a dimension or of what is gated apart."""
    return [v for v in decision.verdicts if not v.check.startswith("regression_budget_") and not is_apart(v.check)]


def figures_of(verdict: Verdict) -> str:
    """The numbers of a verdict on one line; shares as percentages."""
    shown = []
    for name, value in verdict.numbers.items():
        is_share = name in ("share", "floor", "gain", "min_gain", "rate", "high", "ceiling")
        shown.append(f"{name} {percent(value) if is_share else _plain(value)}")
    return ", ".join(shown) or "-"


def _plain(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _verdict(decision: Decision, dimension: str) -> Verdict | None:
    return next((v for v in decision.verdicts if v.check == f"regression_budget_{dimension}"), None)


def _by_dimension(deltas: pl.DataFrame) -> dict[str, dict]:
    return {row["dimension"]: row for row in DELTAS.check(deltas).iter_rows(named=True)}
