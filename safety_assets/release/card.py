"""The model card in Markdown: about these weights, not about a family of models."""

import json
from collections.abc import Mapping, Sequence

import polars as pl

from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.records import DELTAS, DIMENSION_SCORES
from safety_assets.release.apart_page import apart_section
from safety_assets.release.decision import Decision
from safety_assets.release.evidence import headline
from safety_assets.release.markdown import bullets, cell, digest_table, percent, points, table, tier


def model_card(
    decision: Decision,
    *,
    project: str,
    recipe: Mapping[str, object],
    counts: Mapping[str, int],
    training: Mapping[str, object],
    scores: pl.DataFrame,
    deltas: pl.DataFrame,
    policy: Policy,
    limits: Sequence[str] = (),
) -> str:
    """The card.

    Args:
        decision: the decision about these weights.
        project: name of the project.
        recipe: whole content of the recipe, JSON types.
        counts: rows trained on by origin, and others worth naming.
        training: facts of the training run (realised share, seconds, ...).
        scores: DIMENSION_SCORES of these weights.
        deltas: DELTAS against the anchor.
        policy: the policy obeyed.
        limits: further sentences on what the evidence does not show.
    """
    weights = str(decision.digests.get("weights") or "unknown")
    lines = [
        f"# {cell(project)}: {cell(decision.recipe)}", "",
        f"This card is about the weights `{cell(weights)}` and no others. {headline(decision)}", "",
        "## Digests", "", *digest_table({**decision.digests, "decision": decision.digest}), "",
        "## Training", "", f"```json\n{_fenced(recipe)}\n```", "",
        *table(("fact", "value"), [(cell(k), cell(v)) for k, v in training.items()]), "",
        "## Data", "", *table(("rows", "number"), [(cell(k), f"{v:,}") for k, v in counts.items()]), "",
        "## Scores", "", *_scores(scores), "", "The tier is that of the lower bound.", "",
        "## What changed against the aligned base", "", *_budget(deltas, policy), "",
        *apart_section(decision.verdicts),
        "## Task", "", _task(decision), "",
        "## Waivers and accepted weaknesses", "", *(bullets(decision.notes) or ["None."]), "",
        "## Limits of the evidence", "", *bullets([*_limits(scores), *limits]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _fenced(value: Mapping[str, object]) -> str:
    """JSON that cannot close its own fence."""
    return json.dumps(value, indent=2, sort_keys=True, default=str).replace("`", "\\u0060")


def _scores(scores: pl.DataFrame) -> list[str]:
    rows = {(row["dimension"], row["slice"]): row for row in DIMENSION_SCORES.check(scores).iter_rows(named=True)}
    out = []
    for name in DIMENSIONS:
        row = rows.get((name, "seen"), {})
        parts = [points(rows.get((name, part), {}).get("score")) for part in ("seen", "unseen")]
        interval = f"{points(row.get('low'))} to {points(row.get('high'))}"
        out.append((name, points(row.get("score")), interval, tier(row.get("low")), *parts, cell(row.get("num_items"))))
    return table(("dimension", "score (0-10)", "95% interval", "tier", "seen", "unseen", "items"), out)


def _budget(deltas: pl.DataFrame, policy: Policy) -> list[str]:
    rows, out = {row["dimension"]: row for row in DELTAS.check(deltas).iter_rows(named=True)}, []
    for name in DIMENSIONS:
        row, rule = rows.get(name, {}), policy.dimensions[name]
        out.append(
            (name, points(row.get("drop")), points(row.get("drop_high")), rule.max_drop, rule.rank, cell(rule.why))
        )
    return table(("dimension", "drop", "may be as large as", "budget", "rank", "why"), out)


def _task(decision: Decision) -> str:
    numbers = next((v.numbers for v in decision.verdicts if v.check == "task_floor"), {})
    gain = f", a gain of {percent(numbers['gain'])} over the base" if "gain" in numbers else ""
    share, floor = percent(numbers.get("share")), percent(numbers.get("floor"))
    return f"Task score: {share}{gain}; the floor is {floor}."


def _limits(scores: pl.DataFrame) -> list[str]:
    whole = scores.filter(pl.col("slice") == "seen")
    unscored = int(whole["num_unscored"].sum())
    sentences = [
        "The scores are of the probes' language, topics and form; behaviour on others was not measured.",
        "Answers were decoded greedily; sampling can show behaviour that greedy decoding does not.",
        "Judges are rules with errors of their own; the intervals do not hold those errors.",
    ]
    return [*sentences, f"{unscored} items are unscored and count neither way."] if unscored else sentences
