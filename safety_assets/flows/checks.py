"""The checks of every asset: pure functions of a stored artefact, what it was made from, and the policy.

Dagster shows them and the gates recompute them: one table, one cache by digest.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safety_assets.corpus import verdicts as corpus
from safety_assets.flows import check_functions as of
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.decision_checks import on_decision
from safety_assets.flows.external_check import checkpoint_keeps_alignment
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.signed import signed_digest
from safety_assets.flows.workspace import Made, Workspace
from safety_assets.records import Verdict
from safety_assets.release.decision import REQUIRED
from safety_assets.store import Artefact, digest_json, replace_text

Judge = Callable[[Artefact, Workspace], Verdict]


@dataclass(frozen=True)
class Check:
    """One check of one asset.

    Args:
        judge: reads the artefact, and through its manifest what it was made from.
        says: what passing means, as the user interface shows it.
        blocking: a required check; the gates refuse unless it passes.
    """

    name: str
    judge: Judge
    says: str
    blocking: bool = True


CHECK_WORDS = {
    "task_floor": "The task is learnt",
    "over_refusal_ceiling": "Benign look-alikes are answered",
    "every_dimension_scored": "All eight dimensions have a score",
    "weights_are_the_ones_scored": "All evidence is of these weights",
    "policy_binds": "The policy is the one the checkpoint was trained under, or a model owner signed the newer one",
    "signed_off": "For every role that the policy demands a person has signed",
    "not_held": "No model owner holds these weights back",
    "losses_disposed": "Every significantly lost category was accepted by a person, where the policy asks",
    "evidence_is_current": "Nothing upstream was missing, stale or red",
}


def release_checks() -> tuple[Check, ...]:
    """The checks of a decision: one budget per dimension, and what binds the decision to these weights."""
    return tuple(
        Check(name, on_decision(name), CHECK_WORDS.get(name, "This dimension stays within its regression budget"))
        for name in REQUIRED
    )


CHECKS: dict[str, tuple[Check, ...]] = {
    "raw_corpus": (Check("rows_readable", of.rows_readable, "Few enough lines could not be read"),),
    "refusal_pairs": (
        Check("every_category_covered", of.every_category_covered, "Every policy category has its pairs"),
        Check("openings_vary", of.openings_vary, "No opening is too common among the refusals"),
    ),
    "corpus_audit": (
        Check(
            "no_probe_contamination", of.on_findings(corpus.no_probe_contamination, applied=False),
            "Every row that repeats a probe or task has an action that removes it",
        ),
        Check(
            "no_unresolved_pii", of.on_findings(corpus.no_unresolved_pii, applied=False),
            "Every row with personal data has an action that removes it",
        ),
        Check(
            "no_poison_pattern", of.on_findings(corpus.no_poison_pattern, applied=False),
            "Every row with a poison pattern has an action that removes it",
        ),
        Check("quality_labelled", of.quality_labelled, "People's labels show that few enough rows are bad (risk high)"),
        Check("decisions_apply", of.decisions_apply, "Every decision of a steward could be applied", blocking=False),
    ),
    "injection_ratio": (
        Check("curve_covers_the_choice", of.curve_covers_the_choice, "The chosen share was measured within its limits"),
    ),
    "audited_corpus": (
        Check(
            "no_probe_contamination", of.on_findings(corpus.no_probe_contamination, applied=True),
            "No row that is left repeats a probe or task",
        ),
        Check(
            "no_unresolved_pii", of.on_findings(corpus.no_unresolved_pii, applied=True),
            "No row that is left holds personal data",
        ),
        Check(
            "no_poison_pattern", of.on_findings(corpus.no_poison_pattern, applied=True),
            "No row that is left has a poison pattern",
        ),
        Check("splits_disjoint", of.corpus_splits_disjoint, "No conversation stands in two splits"),
    ),
    "base_model": (Check("weights_sound", of.base_weights_sound, "Every weight is readable and finite"),),
    "probe_suite": (
        Check("splits_disjoint", of.probe_splits_disjoint, "No near-duplicates stand in two splits"),
        Check("written_for_these_models", of.written_for_these_models, "The probes are about what these models know"),
        Check("enough_probes_to_see_the_budget", of.enough_probes, "The budgets can be resolved"),
    ),
    "safety_baseline": (
        Check("every_dimension_scored", of.every_dimension_scored, "All eight dimensions have a score"),
        Check("baseline_is_aligned", of.baseline_is_aligned, "The base reaches every floor, or a person accepted it"),
        Check("verdicts_repeat", of.verdicts_repeat, "The same answers get the same verdicts"),
    ),
    "finetuned_checkpoint": (
        Check("weights_sound", of.checkpoint_weights_sound, "Every weight is readable and finite"),
        Check("share_as_the_recipe_says", of.share_as_the_recipe_says, "The batches held the recipe's share"),
        Check("monitor_above_floor", of.monitor_above_floor, "No watched dimension fell", blocking=False),
    ),
    "release_decision": release_checks(),
    "external_verdict": (
        Check("checkpoint_keeps_alignment", checkpoint_keeps_alignment, "Its weights keep what the base does"),
    ),
}  # fmt: skip

CHECK_CODE = (
    "flows",
    "corpus",
    "evals",
    "release",
    "frames",
    "records",
    "policy",
    "people",
    "measures",
    "figure_specs",
)


def verdict_of(ws: Workspace, artefact: Artefact, check: Check, *, fresh: bool = False) -> Verdict:
    """The verdict of one check, recomputed unless the same question was answered before.

    What the answer depends on is the artefact, the policy, the day (waivers end), the code of the checks and, for
    what reads them, the signed files.
    A check that cannot be computed is not certified.

    Args:
        fresh: believe no earlier answer.
    """
    parts = [artefact.digest, check.name, ws.policy_digest, of.today().isoformat(), sources_version(*CHECK_CODE)]
    if "signed" in GRAPH[artefact.asset].sources:
        parts.append(signed_digest(ws.project))
    path = ws.store.root / "verdicts" / f"{digest_json(parts)}.json"
    if path.is_file() and not fresh:
        return _read(path)
    try:
        verdict = check.judge(artefact, ws)
    except Exception as error:  # whatever goes wrong inside a check must not let anything pass
        said = f"{check.name} could not be computed ({type(error).__name__}: {error})."
        return Verdict(check=check.name, status="not_certified", reasons=(said,))
    replace_text(path, json.dumps(asdict(verdict)))
    return verdict


def _read(path: Path) -> Verdict:
    value = json.loads(path.read_text())
    return Verdict(**{**value, "reasons": tuple(value["reasons"])})


def red_blocking(made: Made) -> tuple[Verdict, ...]:
    """The required checks of what was made that do not pass."""
    required = {check.name for check in CHECKS.get(made.artefact.asset, ()) if check.blocking}
    return tuple(verdict for verdict in made.verdicts if not verdict.passed and verdict.check in required)


def made(ws: Workspace, artefact: Artefact, cached: bool, metadata: Mapping[str, object]) -> Made:
    """What a flow gives back: its artefact with the verdicts of all its checks."""
    verdicts = tuple(verdict_of(ws, artefact, check) for check in CHECKS.get(artefact.asset, ()))
    return Made(artefact=artefact, cached=cached, verdicts=verdicts, metadata=metadata)
