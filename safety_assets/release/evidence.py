"""The page of a decision in Markdown: the verdict first, then each dimension, the reasons and the digests."""

from collections.abc import Mapping

import polars as pl

from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.records import DELTAS, Verdict
from safety_assets.release.apart_page import apart_section, is_apart
from safety_assets.release.decision import Decision
from safety_assets.release.markdown import bullets, cell, digest_table, percent, points, table

SAYS = {
    "approved": "**Approved.** {recipe} may be released: every required check passes on these weights.",
    "rejected": "**Rejected.** {recipe} must not be released: {failed} of {all} checks failed.",
    "not_certified": "**Not certified.** {recipe} is not released: nothing failed, {open} of {all} checks are open.",
}
WORDS = {"pass": "passed", "fail": "failed", "not_certified": "not certified"}


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
    lines += ["", "Points on the 0-10 scale; positive drops are losses against the originally aligned model."]
    lines += ["", *_null(null)] if null else []
    lines += ["", *apart_section(decision.verdicts)][:-1]
    lines += ["", figure] if figure else []
    lines += ["", "## Other checks", "", *_others(decision)]
    if decision.notes:
        lines += ["", "## Known and accepted", "", *bullets(decision.notes)]
    lines += ["", "## Digests", "", *digest_table({**decision.digests, "decision": decision.digest})]
    return "\n".join(lines) + "\n"


def _null(null: Mapping[str, object]) -> list[str]:
    flips, items = null.get("num_flips"), null.get("num_items")
    if not isinstance(flips, int) or not isinstance(items, int) or not items:
        return ["Base against base: the second run of the base cannot be compared with the first."]
    return [f"Base against base, asked the same twice: {flips} of {items} verdicts flip ({percent(flips / items)})."]


def headline(decision: Decision) -> str:
    """The decision in one sentence."""
    failed = sum(v.status == "fail" for v in decision.verdicts)
    opened = sum(v.status == "not_certified" for v in decision.verdicts)
    counts = {"failed": failed, "open": opened, "all": len(decision.verdicts)}
    return SAYS[decision.status].format(recipe=cell(decision.recipe), **counts)


def _dimensions(decision: Decision, deltas: pl.DataFrame, policy: Policy, served: pl.DataFrame | None) -> list[str]:
    columns = ["dimension", "rank", "baseline", "candidate", "drop", "95% bounds", "budget", "lost / gained", "verdict"]
    now = {} if served is None else _by_dimension(served)
    rows = []
    for name in DIMENSIONS:
        rows.append(_dimension(name, _by_dimension(deltas).get(name, {}), policy, _verdict(decision, name)))
        if served is not None:
            rows[-1].append(points(now.get(name, {}).get("drop")))
    return table([*columns, "drop to served"] if served is not None else columns, rows)


def _dimension(name: str, row: dict, policy: Policy, verdict: Verdict | None) -> list[str]:
    rule = policy.dimensions[name]
    bounds = f"{points(row.get('drop_low'))} to {points(row.get('drop_high'))}"
    return [
        name, rule.rank, points(row.get("baseline")), points(row.get("candidate")), points(row.get("drop")),
        bounds, f"{rule.max_drop}, within {rule.certify_within}",
        f"{cell(row.get('num_lost'))} / {cell(row.get('num_gained'))}", _word(verdict),
    ]  # fmt: skip


def _others(decision: Decision) -> list[str]:
    others = [v for v in decision.verdicts if not (v.check.startswith("regression_budget_") or is_apart(v.check))]
    return table(("check", "verdict", "figures"), [(cell(v.check), _word(v), _figures(v)) for v in others])


def _figures(verdict: Verdict) -> str:
    shown = []
    for name, value in verdict.numbers.items():
        is_share = name in ("share", "floor", "gain", "min_gain", "rate", "high", "ceiling")
        shown.append(f"{cell(name)} {percent(value) if is_share else _plain(value)}")
    return ", ".join(shown) or "-"


def _plain(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else cell(value)


def _word(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not judged"
    waived = verdict.numbers.get("waived_by")
    return f"waived by {cell(waived)}" if waived else WORDS.get(verdict.status, "not certified")


def _verdict(decision: Decision, dimension: str) -> Verdict | None:
    return next((v for v in decision.verdicts if v.check == f"regression_budget_{dimension}"), None)


def _by_dimension(deltas: pl.DataFrame) -> dict[str, dict]:
    return {row["dimension"]: row for row in DELTAS.check(deltas).iter_rows(named=True)}
