"""The decision: approved, rejected or not certified, with every reason in words.

Nothing fails open: a verdict that is missing, failed, uncertain or that could not be computed refuses.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

from safety_assets.errors import StoreError
from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.records import Verdict
from safety_assets.release import verdicts as of
from safety_assets.release.closed import not_certified, shown
from safety_assets.release.signed import Signed
from safety_assets.store import digest_json

Outcome = Literal["approved", "rejected", "not_certified"]

REQUIRED = (
    *(f"regression_budget_{name}" for name in DIMENSIONS),
    "task_floor",
    "over_refusal_ceiling",
    "every_dimension_scored",
    "weights_are_the_ones_scored",
    "policy_binds",
    "signed_off",
    "not_held",
    "losses_disposed",
    "evidence_is_current",
)
"""Checks without which nothing is approved."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything a decision rests on. What is absent is None, and refuses.

    Args:
        recipe: name of the recipe.
        today: the day of the decision, on which waivers are looked at.
        deltas: DELTAS of the candidate against the anchor.
        scores: DIMENSION_SCORES of the candidate.
        task_scores: TASK_SCORES of the candidate.
        baseline_task_scores: TASK_SCORES of the base.
        over_refusal: rate with interval and counts, as `over_refusal_ceiling` takes it.
        weights_now: identity digest recomputed from the checkpoint's bytes.
        weights_scored: piece of evidence to the identity digest it names.
        policy_trained: digest of the policy in force at training.
        policy_now: digest of the policy in force.
        problems: what is missing, stale or red upstream, in sentences; empty when all is well.
        lost_categories: rows of what was forgotten, by category, as `losses_disposed` takes them.
        signed: the signed files of the project; None when nobody looked.
        owners_then: model owners whom the policy at training names, to their keys; None when it is not at hand.
        accepted_losses: dimension to number of lost items that a person accepted.
        upstream: further verdicts that must pass, by any name.
        digests: every artefact the decision rests on.
    """

    recipe: str
    today: date
    deltas: pl.DataFrame | None
    scores: pl.DataFrame | None
    task_scores: pl.DataFrame | None
    baseline_task_scores: pl.DataFrame | None
    over_refusal: Mapping[str, object] | None
    weights_now: str | None
    weights_scored: Mapping[str, str | None]
    policy_trained: str | None
    policy_now: str | None
    problems: Sequence[str] | None
    lost_categories: Sequence[Mapping[str, object]] | None = None
    signed: Signed | None = None
    owners_then: Mapping[str, str] | None = None
    accepted_losses: Mapping[str, int] = field(default_factory=dict)
    upstream: Mapping[str, Verdict] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided, why, and on what.

    Args:
        status: approved, rejected (a check failed) or not_certified (nothing failed, something is undecided).
        recipe: name of the recipe.
        decided_on: ISO date.
        reasons: sentences; empty only when approved.
        notes: what passed but should be known: waivers, accepted weaknesses, advisory breaches.
        verdicts: all of them, required ones first.
        digests: what it rests on; `weights` is the identity of the candidate, `policy` the policy obeyed.
        waivers: each with check, who and until.
        required: the checks without which nothing was approved then; a later version of this package may ask for more.
    """

    status: Outcome
    recipe: str
    decided_on: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    digests: Mapping[str, str]
    waivers: tuple[Mapping[str, str], ...]
    required: tuple[str, ...] = REQUIRED

    @property
    def case(self) -> str:
        """What a person signs: `case_digest` of this decision."""
        return case_digest(self.recipe, self.digests)

    @property
    def digest(self) -> str:
        """sha256 of the decision's canonical JSON."""
        return digest_json(self.as_dict())

    def as_dict(self) -> dict:
        """The decision in JSON types."""
        listed = [{**vars(v), "reasons": list(v.reasons), "numbers": shown(v.numbers)} for v in self.verdicts]
        return {
            **vars(self), "reasons": list(self.reasons), "notes": list(self.notes), "verdicts": listed,
            "digests": dict(self.digests), "waivers": [dict(w) for w in self.waivers],
            "required": list(self.required),
        }  # fmt: skip

    def to_json(self) -> str:
        """Indented JSON with sorted keys."""
        return json.dumps(self.as_dict(), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def case_digest(recipe: str, digests: Mapping[str, str]) -> str:
    """Digest of what a decision is about: these weights, with this evidence, under this policy; not its outcome."""
    return digest_json({"recipe": recipe, "digests": dict(digests)})


def decide(evidence: Evidence, policy: Policy, required: Sequence[str] = REQUIRED) -> Decision:
    """Approved only if every required verdict passes; rejected if any fails; else not certified.

    Every verdict is recomputed here from the evidence. Reasons: breaches named together, then failed checks, then
    open ones, then missing ones. It never raises on broken evidence: that is a reason too.

    Args:
        required: the checks that are judged, beside those of `evidence.upstream`, and without which nothing is
            approved.
    """
    try:
        judged, digests = _judged(evidence, policy, required), _digests(evidence)
    except Exception as error:
        said = f"The evidence could not be judged ({type(error).__name__}: {error}). Make it again and decide anew."
        judged = [not_certified("evidence_can_be_judged", said)]
        digests = {"weights": evidence.weights_now or "", "policy": evidence.policy_now or ""}
    return conclude(judged, recipe=evidence.recipe, today=evidence.today, digests=digests, required=required)


def _digests(evidence: Evidence) -> dict[str, str]:
    return {**evidence.digests, "weights": evidence.weights_now or "", "policy": evidence.policy_now or ""}


def _judged(evidence: Evidence, policy: Policy, required: Sequence[str]) -> list[Verdict]:
    own = [*budgets(evidence, policy), *_other_verdicts(evidence, policy)]
    upstream = [_named(name, verdict) for name, verdict in evidence.upstream.items()]
    return [verdict for verdict in own if verdict.check in required] + upstream


def conclude(
    judged: Sequence[Verdict],
    *,
    recipe: str,
    today: date,
    digests: Mapping[str, str],
    required: Sequence[str] = REQUIRED,
) -> Decision:
    """The decision that follows from verdicts; one that is required and missing, or stands twice, refuses."""
    names = [v.check for v in judged]
    gaps = [f"{name} was not judged. Decide again with its evidence." for name in required if name not in names]
    gaps += [f"{name} was judged twice. Decide again." for name in required if names.count(name) > 1]
    gaps += [f"{v.check} did not pass and gave no reason." for v in judged if not v.passed and not v.reasons]
    red = [r for v in judged if v.status == "fail" for r in v.reasons]
    open_ = [r for v in judged if v.status not in ("pass", "fail") for r in v.reasons]
    refused = gaps or any(not v.passed for v in judged)
    rejected = any(v.status == "fail" for v in judged)
    status: Outcome = "rejected" if rejected else "not_certified" if refused else "approved"
    reasons = [*_breaches(judged), *red, *open_, *gaps]
    return Decision(
        status=status, recipe=recipe, decided_on=today.isoformat(), reasons=tuple(dict.fromkeys(reasons)),
        notes=tuple(r for v in judged if v.passed for r in v.reasons), verdicts=tuple(judged), digests=dict(digests),
        waivers=tuple(_waivers(judged)), required=tuple(required),
    )  # fmt: skip


def from_json(text: str) -> Decision:
    """A decision read back; StoreError when it is no decision or its status does not follow from its verdicts."""
    try:
        return from_dict(json.loads(text))
    except ValueError as error:
        raise StoreError(f"a decision is not JSON: {error}", do="materialize release_decision again") from error


def from_dict(value: Mapping, required: Sequence[str] = REQUIRED) -> Decision:
    """A decision from its JSON types, concluded again by what it asked for; StoreError as for `from_json`.

    Args:
        required: what it must have asked for; nothing, to read what an earlier version of this package decided.
    """
    try:
        value = {"required": list(REQUIRED), **value}  # the first decisions did not say what they asked for
        lacking = sorted(set(required) - set(value["required"]))
        judged = [Verdict(**{**v, "reasons": tuple(v["reasons"])}) for v in value["verdicts"]]
        today = date.fromisoformat(value["decided_on"])
        decision = conclude(
            judged, recipe=value["recipe"], today=today, digests=value["digests"], required=value["required"]
        )
        faithful = digest_json(decision.as_dict()) == digest_json(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"this is no decision ({error!r})", do="materialize release_decision again") from error
    if lacking:
        raise StoreError(
            f"a decision did not ask for {', '.join(lacking)}", expected="every check that a release demands",
            do="materialize release_decision again",
        )  # fmt: skip
    if not faithful:
        raise StoreError(
            f"a decision says {value.get('status')}, its own verdicts say {decision.status}",
            expected="status, reasons and waivers that follow from the verdicts",
            do="materialize release_decision again",
        )
    return decision


def budgets(evidence: Evidence, policy: Policy) -> list[Verdict]:
    """The regression budget of each of the eight dimensions."""
    deltas, scores, out = _rows(evidence.deltas), _rows(evidence.scores), []
    waivers = evidence.signed.waivers(evidence.weights_now) if evidence.signed else {}
    for name in DIMENSIONS:
        accepted = evidence.accepted_losses.get(name, 0)
        rule, delta, score = policy.dimensions[name], deltas.get(name), scores.get(name)
        waiver = waivers.get(name)
        out.append(of.regression_budget(name, rule, delta, score, policy.probes, evidence.today, accepted, waiver))
    return out


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p-values that control the family-wise error rate (Holm 1979), by name."""
    out, least = {}, 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        least = max(least, min(1.0, (len(p_values) - rank) * p))
        out[name] = least
    return out


def _other_verdicts(evidence: Evidence, policy: Policy) -> list[Verdict]:
    e, probes = evidence, policy.probes
    return [
        of.task_floor(e.task_scores, e.baseline_task_scores, policy.task, probes.max_unscored_share),  # type: ignore[arg-type]
        of.over_refusal_ceiling(e.over_refusal, policy.max_over_refusal, probes),
        of.every_dimension_scored(e.scores, probes),  # type: ignore[arg-type]
        of.weights_are_the_ones_scored(e.weights_now, e.weights_scored),
        of.policy_binds(e.policy_trained, e.policy_now, e.owners_then, policy, e.signed, e.today),  # type: ignore[arg-type]
        of.signed_off(policy, e.signed, e.weights_now or "", case_digest(e.recipe, _digests(e)), e.today),  # type: ignore[arg-type]
        of.not_held(e.signed, e.weights_now, e.today),  # type: ignore[arg-type]
        of.losses_disposed(policy, e.lost_categories, e.signed, e.weights_now or "", e.today),  # type: ignore[arg-type]
        of.evidence_is_current(e.problems),
    ]


def _named(name: str, verdict: Verdict) -> Verdict:
    """An upstream verdict under the name it is listed by; anything else than a verdict is not certified."""
    if not isinstance(verdict, Verdict):
        return not_certified(name, f"{name} holds no verdict. Judge it again.")
    return Verdict(check=name, status=verdict.status, reasons=verdict.reasons, numbers=verdict.numbers)


def _rows(frame: pl.DataFrame | None) -> dict[str, dict]:
    """Row per dimension, of slice seen where there are slices; a dimension that stands twice is left out."""
    if not isinstance(frame, pl.DataFrame) or "dimension" not in frame.columns:
        return {}
    whole = frame.filter(pl.col("slice") == "seen") if "slice" in frame.columns else frame
    once = whole.filter(pl.col("dimension").is_unique())
    return {row["dimension"]: row for row in once.iter_rows(named=True)}


def _breaches(judged: Sequence[Verdict]) -> list[str]:
    """One sentence that names all breached dimensions when there are several, with Holm-adjusted p."""
    own = {v.check.removeprefix("regression_budget_"): v for v in judged if v.check.startswith("regression_budget_")}
    breached = [name for name, v in own.items() if v.status == "fail"]
    if len(breached) < 2:
        return []
    adjusted = holm({name: _p(v) for name, v in own.items()})
    listed = ", ".join(f"{name} (Holm-adjusted p {adjusted[name]:.4f})" for name in breached)
    return [f"{len(breached)} dimensions are breached: {listed}."]


def _p(verdict: Verdict) -> float:
    p_value = verdict.numbers.get("p_value", 1.0)
    return float(p_value) if isinstance(p_value, int | float) and 0 <= p_value <= 1 else 1.0


def _waivers(judged: Sequence[Verdict]) -> list[dict[str, str]]:
    return [
        {"check": v.check, "who": str(v.numbers["waived_by"]), "until": str(v.numbers["waived_until"])}
        for v in judged
        if "waived_by" in v.numbers and "waived_until" in v.numbers
    ]
