"""The model card: about these weights, not about a family of models. A head that the Hub reads, then Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.records import DELTAS, DIMENSION_SCORES
from safety_assets.release.apart_page import apart_section
from safety_assets.release.card_header import header
from safety_assets.release.decision import Decision
from safety_assets.release.evidence import headline
from safety_assets.release.evidence_page import ALWAYS
from safety_assets.release.markdown import bullets, cell, digest_table, percent, points, section_lines, table, tier


@dataclass(frozen=True, kw_only=True)
class About:
    """What a card tells beside the decision.

    Args:
        base: base model as the project names it.
        origins: what the weights come from, in words: base, anchor, each with the digest of its identity.
        recipe: whole content of the recipe, JSON types.
        training: facts of the training run (realised share, seconds, ...).
        counts: rows trained on by origin, and others worth naming.
        account: what became of every line of the corpus, as `corpus.account` gives it; None where it is not at hand.
        share: injected share that was calibrated, None where none was, and the points of the curve it was read from.
        scores: DIMENSION_SCORES of these weights.
        deltas: DELTAS against the anchor.
        categories: counts of lost and gained items by dimension and category.
        probes: digest of the probe suite.
        system_prompt: the one that stands in the template of these weights; None where there is none.
        evidence: where the evidence page is.
        limits: further sentences on what the evidence does not show.
    """

    project: str
    base: str
    recipe: Mapping[str, object]
    scores: pl.DataFrame
    deltas: pl.DataFrame
    policy: Policy
    probes: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, object] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    account: Mapping[str, object] | None = None
    share: float | None = None
    curve: Sequence[Mapping[str, float | None]] = ()
    categories: pl.DataFrame | None = None
    system_prompt: str | None = None
    evidence: str = ""
    limits: Sequence[str] = ()


def model_card(decision: Decision, about: About) -> str:
    """The card as the text of its file; `huggingface_hub.ModelCard.load` reads it."""
    from huggingface_hub import ModelCard

    data = header(
        decision, project=about.project, base=about.base, probes=about.probes, scores=about.scores, deltas=about.deltas
    )
    card = ModelCard(f"---\n{data.to_yaml()}\n---\n\n{_body(decision, about)}")
    return str(card)


def _body(decision: Decision, about: About) -> str:
    weights = str(decision.digests.get("weights") or "unknown")
    where = [f"The evidence: {cell(about.evidence)}", ""] if about.evidence else []
    lines = [
        f"# {cell(about.project)}: {cell(decision.recipe)}", "",
        f"This card is about the weights `{cell(weights)}` and no others. {headline(decision)}", "", *where,
        "## Base and anchor", "", *_pairs("what", "which", about.origins), "",
        "## System prompt", "", *_prompt(about.system_prompt), "",
        "## Scores", "", *_scores(about), "",
        "Points on the 0-10 scale, with 95% intervals; a positive drop is a loss against the aligned model, its bounds "
        "are one-sided. The tier is that of the lower bound.", "",
        "## Budgets", "", *_budget(about.deltas, about.policy), "",
        *section_lines(apart_section(decision.verdicts)),
        "## Task", "", _task(decision), "",
        "## What was forgotten", "", *_forgotten(about.categories), "",
        "## Training", "", f"```json\n{_fenced(about.recipe)}\n```", "", *_pairs("fact", "value", about.training), "",
        "## Data", "", *_pairs("rows", "number", {k: f"{v:,}" for k, v in about.counts.items()}), "",
        *_account(about.account), "",
        "## Injected share", "", *_share(about), "",
        "## Waivers and accepted weaknesses", "", *(bullets([*_waivers(decision), *decision.notes]) or ["None."]), "",
        "## Limits of the evidence", "", *bullets([*ALWAYS, *_unscored(about.scores), *about.limits]), "",
        "## Digests", "", *digest_table({**decision.digests, "decision": decision.digest}),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _pairs(what: str, value: str, rows: Mapping[str, object]) -> list[str]:
    return table((what, value), [(cell(k), cell(v)) for k, v in rows.items()]) if rows else ["Not recorded."]


def _fenced(value: object) -> str:
    """JSON that cannot close its own fence."""
    return json.dumps(value, indent=2, sort_keys=True, default=str).replace("`", "\\u0060")


def _prompt(prompt: str | None) -> list[str]:
    if prompt is None:
        return ["None: it was certified without one, and is served without one."]
    return ["It stands in the chat template of these weights, and they were certified with it:", "",
            f"```json\n{_fenced(prompt)}\n```"]  # fmt: skip


def _scores(about: About) -> list[str]:
    rows = {(r["dimension"], r["slice"]): r for r in DIMENSION_SCORES.check(about.scores).iter_rows(named=True)}
    deltas, out = _by_dimension(about.deltas), []
    for name in DIMENSIONS:
        row, delta = rows.get((name, "seen"), {}), deltas.get(name, {})
        parts = [points(rows.get((name, part), {}).get("score")) for part in ("seen", "unseen")]
        interval = f"{points(row.get('low'))} to {points(row.get('high'))}"
        bounds = f"{points(delta.get('drop_low'))} to {points(delta.get('drop_high'))}"
        out.append((
            name, points(row.get("score")), interval, tier(row.get("low")), points(delta.get("baseline")),
            points(delta.get("drop")), bounds, *parts, cell(row.get("num_items")),
        ))  # fmt: skip
    columns = ("dimension", "score", "interval", "tier", "base", "drop", "its bounds", "seen", "unseen", "items")
    return table(columns, out)


def _by_dimension(deltas: pl.DataFrame) -> dict[str, dict]:
    return {row["dimension"]: row for row in DELTAS.check(deltas).iter_rows(named=True)}


def _budget(deltas: pl.DataFrame, policy: Policy) -> list[str]:
    rows, out = _by_dimension(deltas), []
    for name in DIMENSIONS:
        row, rule = rows.get(name, {}), policy.dimensions[name]
        out.append((
            name, points(row.get("drop")), points(row.get("drop_high")), rule.max_drop, rule.certify_within, rule.rank,
            cell(rule.why),
        ))  # fmt: skip
    return table(("dimension", "drop", "may be as large as", "budget", "certified within", "rank", "why"), out)


def _task(decision: Decision) -> str:
    numbers = next((v.numbers for v in decision.verdicts if v.check == "task_floor"), {})
    gain = f", a gain of {percent(numbers['gain'])} over the base" if "gain" in numbers else ""
    share, floor = percent(numbers.get("share")), percent(numbers.get("floor"))
    return f"Task score: {share}{gain}; the floor is {floor}."


def _forgotten(categories: pl.DataFrame | None) -> list[str]:
    if categories is None:
        return ["Not at hand."]
    lost = categories.filter(pl.col("num_lost") > 0).select("dimension", "category", "num_items", "num_lost")
    if lost.is_empty():
        return [f"Nothing: none of {categories['num_items'].sum():,} items that both models were asked was lost."]
    return table(("dimension", "category", "items", "lost"), [tuple(map(cell, row)) for row in lost.iter_rows()])


def _account(account: Mapping[str, object] | None) -> list[str]:
    """What the audit of the corpus found and did."""
    if account is None:
        return []
    counts = {name.replace("_", " "): value for name, value in account.items() if isinstance(value, int)}
    actions = account.get("actions")
    found = [
        (cell(finding), cell(action), f"{count:,}")
        for finding, of in (actions.items() if isinstance(actions, dict) else ())
        for action, count in of.items()
    ]
    shown = _pairs("of the corpus as given", "lines", counts)
    return [*shown, "", *table(("finding", "action", "findings"), found)] if found else shown


def _share(about: About) -> list[str]:
    said = "No share was calibrated." if about.share is None else f"The calibrated share is {about.share:.1%}."
    if not about.curve:
        return [said]
    rows = [
        (percent(p.get("share")), points(p.get("safety")), points(p.get("fitted")), percent(p.get("over_refusal")))
        for p in about.curve
    ]
    return [f"{said} It was read from:", "", *table(("share", "safety", "fitted", "over-refusal"), rows)]


def _waivers(decision: Decision) -> list[str]:
    return [f"{w['check']} is waived by {w['who']} until {w['until']}." for w in decision.waivers]


def _unscored(scores: pl.DataFrame) -> list[str]:
    unscored = int(scores.filter(pl.col("slice") == "seen")["num_unscored"].sum())
    return [f"{unscored} items are unscored and count neither way."] if unscored else []
