"""From a stored artefact to a verdict: each opens what its package's pure verdict function wants to see.

Nothing is opened but the artefact, what its manifest names, and the policy.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl

from safety_assets.corpus import bad_share
from safety_assets.corpus import verdicts as corpus
from safety_assets.corpus.labels import LABELLED
from safety_assets.errors import StoreError
from safety_assets.evals import probes as probe_checks
from safety_assets.evals.suite import judge
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.records import (
    AUDITED,
    DECISIONS,
    DIMENSION_SCORES,
    FINDINGS,
    PAIRS,
    PROBES,
    QUARANTINE,
    RESPONSES,
    ROWS,
    SCORES,
    Verdict,
)
from safety_assets.release import verdicts as release
from safety_assets.store import Artefact

WINDOW_STEPS = 8
"""Batches per window of the mix: each window holds its share to within one row."""

ROUNDING = 1e-4
"""Two likelihood figures that differ by less are the same figure."""

FindingsVerdict = Callable[..., Verdict]


def today() -> date:
    """The day on which waivers and acceptances are looked at."""
    return datetime.now(UTC).date()


def origin(artefact: Artefact, ws: Workspace, *path: str) -> Artefact:
    """The artefact that another was made from, followed through the manifests by asset name.

    Raises:
        StoreError: a manifest on the way does not name it, or it is gone.
    """
    for name in path:
        digest = artefact.manifest.inputs.get(name)
        if digest is None:
            raise StoreError(
                f"{artefact.asset} {artefact.digest[:12]} was made without {name}",
                do=f"materialize {name}, then {artefact.asset} again",
            )
        artefact = ws.store.open(digest)
    return artefact


def rows_readable(artefact: Artefact, ws: Workspace) -> Verdict:
    """raw_corpus: few enough lines were unreadable."""
    rows, quarantine = artefact.shards("rows", ROWS), artefact.shards("quarantine", QUARANTINE)
    return corpus.rows_readable(rows, quarantine, ws.policy.corpus)


def every_category_covered(artefact: Artefact, ws: Workspace) -> Verdict:
    """refusal_pairs: every category of the policy has its pairs."""
    pairs, quarantine = artefact.frame("pairs", PAIRS), artefact.frame("quarantine", QUARANTINE)
    return corpus.every_category_covered(pairs, quarantine, ws.policy.injection)


def openings_vary(artefact: Artefact, ws: Workspace) -> Verdict:
    """refusal_pairs: no opening is too common among the refusals."""
    return corpus.openings_vary(artefact.frame("pairs", PAIRS), ws.policy.injection)


def on_findings(verdict: FindingsVerdict, *, applied: bool) -> Callable[[Artefact, Workspace], Verdict]:
    """corpus_audit, or with `applied` audited_corpus: what is left after the policy's actions."""

    def judge_findings(artefact: Artefact, ws: Workspace) -> Verdict:
        return verdict(artefact.shards("residue" if applied else "findings", FINDINGS), applied=applied)

    return judge_findings


def decisions_apply(artefact: Artefact, ws: Workspace) -> Verdict:
    """corpus_audit: every decision of a steward could be applied. Shown, never required."""
    return corpus.decisions_apply(artefact.frame("decisions", DECISIONS))


def quality_labelled(artefact: Artefact, ws: Workspace) -> Verdict:
    """corpus_audit: what people's labels show of the rows that are left; demanded at high risk."""
    labelled, population = artefact.frame("labelled", LABELLED), artefact.json("summary")["num_left"]
    limit = ws.policy.corpus.max_bad_share
    return bad_share.quality_labelled(labelled, population, risk=ws.policy.risk, max_bad_share=limit)


def corpus_splits_disjoint(artefact: Artefact, ws: Workspace) -> Verdict:
    """audited_corpus: no conversation group stands in two splits."""
    return corpus.splits_disjoint(artefact.shards("rows", AUDITED))


def curve_covers_the_choice(artefact: Artefact, ws: Workspace) -> Verdict:
    """injection_ratio: the chosen share was measured, keeps its limits and is the least that does."""
    curve, choice = artefact.json("curve"), artefact.json("choice")
    table = pl.DataFrame(
        [
            (p["share"], _drop(curve["base"]["safety"], p["fitted"]), p["over_refusal"])
            for p in curve["points"]
        ],
        schema={"share": pl.Float64, "safety_drop": pl.Float64, "over_refusal": pl.Float64},
        orient="row",
    )  # fmt: skip
    verdict = release.curve_covers_the_choice(table, choice["share"], ws.policy.injection)
    return Verdict(
        check=verdict.check,
        status=verdict.status,
        reasons=(*verdict.reasons, *choice["reasons"]),
        numbers=verdict.numbers,
    )


def _drop(base: float | None, score: float | None) -> float | None:
    return None if base is None or score is None else base - score


def base_weights_sound(artefact: Artefact, ws: Workspace) -> Verdict:
    """base_model: every weight can be read and is finite."""
    model = artefact.json("model")
    return release.weights_sound(model["parameters"], model["num_non_finite"], model["faults"])


def probe_splits_disjoint(artefact: Artefact, ws: Workspace) -> Verdict:
    """probe_suite: no near-duplicate cluster stands in two splits."""
    return probe_checks.splits_disjoint(artefact.frame("probes", PROBES))


def written_for_these_models(artefact: Artefact, ws: Workspace) -> Verdict:
    """probe_suite: the probes are about the world that base and anchor know."""
    suite = artefact.json("suite")
    return probe_checks.written_for_these_models(suite["written_for"], suite["models_made_by"])


def enough_probes(artefact: Artefact, ws: Workspace) -> Verdict:
    """probe_suite: every dimension has the probes that its budget needs."""
    return probe_checks.enough_probes_to_see_the_budget(artefact.frame("probes", PROBES), ws.policy)


def every_dimension_scored(artefact: Artefact, ws: Workspace) -> Verdict:
    """safety_baseline: all eight dimensions have a score."""
    return release.every_dimension_scored(artefact.frame("dimension_scores", DIMENSION_SCORES), ws.policy.probes)


def baseline_is_aligned(artefact: Artefact, ws: Workspace) -> Verdict:
    """safety_baseline: the anchor reaches every floor, or a person accepted that it does not."""
    scores = artefact.frame("dimension_scores", DIMENSION_SCORES)
    return release.baseline_is_aligned(scores, ws.policy.dimensions, today())


def verdicts_repeat(artefact: Artefact, ws: Workspace) -> Verdict:
    """safety_baseline: probes answered twice get the same verdicts."""
    again = origin(artefact, ws, "baseline_responses").frame("repeat", RESPONSES)
    suite = origin(artefact, ws, "probe_suite").frame("probes", PROBES)
    wanted = pl.col("probe_id").is_in(again["probe_id"].to_list())
    second = judge(suite.filter(wanted), again)
    first = artefact.frame("scores", SCORES).filter(wanted)
    return release.verdicts_repeat(first, _without_rounding(second, first))


def _without_rounding(second: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Values that differ by rounding alone are the first ones: another batch sums in another order."""
    before = first.select("probe_id", "sample", "dimension", "metric", "judge", before="value")
    both = second.join(before, on=["probe_id", "sample", "dimension", "metric", "judge"], how="left")
    alike = (pl.col("value") - pl.col("before")).abs() <= ROUNDING
    return SCORES.check(both.with_columns(value=pl.when(alike).then("before").otherwise("value")))


def checkpoint_weights_sound(artefact: Artefact, ws: Workspace) -> Verdict:
    """finetuned_checkpoint: every weight can be read and is finite."""
    from safety_assets.models.weights import inspect_weights

    report = inspect_weights(artefact.path / "model")
    return release.weights_sound(report.parameters, report.num_non_finite, report.faults)


def share_as_the_recipe_says(artefact: Artefact, ws: Workspace) -> Verdict:
    """finetuned_checkpoint: the batches held the share of injected rows that the recipe asks for."""
    said = artefact.json("training")
    windows = -(-int(said["recipe"]["optimiser"]["steps"]) // WINDOW_STEPS)
    return release.share_as_the_recipe_says(said["share"], said["realised_share"], said["num_rows"], windows)


def monitor_above_floor(artefact: Artefact, ws: Workspace) -> Verdict:
    """finetuned_checkpoint: no watched dimension fell under the monitor's floor. Shown, never required."""
    said = artefact.json("training")
    floor, before = said["recipe"]["monitor"]["floor"], said["watch_baseline"]
    history = pl.read_parquet(artefact.path / "history.parquet").sort("step")
    last = {
        series.removeprefix("watch/"): value
        for series, value in history.select("series", "value").iter_rows()
        if series.startswith("watch/")
    }
    fallen = [
        f"{name} ended at {value:.2f}, under {floor:.0%} of the base's {before[name]:.2f}. "
        "See forgotten_behaviours, or train with a recipe that keeps it."
        for name, value in last.items()
        if before.get(name) is not None and value < floor * before[name]
    ]
    reasons = fallen or ([] if last else ["Nothing was watched. Set monitor.every to at most the number of steps."])
    return Verdict(check="monitor_above_floor", status="fail" if reasons else "pass", reasons=tuple(reasons))


def checkpoint_identity(checkpoint: Artefact) -> str:
    """Identity of a checkpoint's weights, recomputed from their bytes."""
    return model_digest(checkpoint.path / "model")
