"""What is asked beside the headline where the policy wants it, of base and candidate alike, and what that comes to.

Nothing here is an asset of its own (decision 0015): the scores of a candidate hold it, and `gate` uses the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals.apart import called, compare_slices, in_domain_sample, wrapped_sample
from safety_assets.evals.attack_success import ATTACK_SUCCESS, attack_success
from safety_assets.evals.slices import IN_DOMAIN, WRAPPED
from safety_assets.evals.suite import judge
from safety_assets.policy import DIMENSIONS, Policy, ProbePolicy
from safety_assets.records import DELTAS, DIMENSION_SCORES, PROBES, RESPONSES, SCORES, Verdict
from safety_assets.release.acts import Act
from safety_assets.release.verdicts import in_domain_budget, not_asked, wrapped_budget
from safety_assets.store import Artefact, write_frame

Ask = Callable[[pl.DataFrame], pl.DataFrame]
"""From PROBES to RESPONSES of one model."""

SIDES = ("base", "tuned")


@dataclass(frozen=True, kw_only=True)
class Apart:
    """The slices of both models.

    Args:
        probes: PROBES that were asked.
        responses: side (base, tuned) to RESPONSES.
        scores: side to SCORES.
        deltas: DELTAS by the names of `evals.apart.called`.
        dimension_scores: DIMENSION_SCORES of the candidate, by the same names.
        attacks: side to ATTACK_SUCCESS.
    """

    probes: pl.DataFrame
    responses: Mapping[str, pl.DataFrame]
    scores: Mapping[str, pl.DataFrame]
    deltas: pl.DataFrame
    dimension_scores: pl.DataFrame
    attacks: Mapping[str, pl.DataFrame]


def asked_apart(
    probes: pl.DataFrame, tasks: Callable[[], pl.DataFrame], law: ProbePolicy, system: str | None
) -> pl.DataFrame:
    """PROBES of the slices that the policy wants; none by default.

    Args:
        probes: PROBES of the split gate.
        tasks: gives TASKS; called only where probes are asked inside them.
        law: names the slices.
        system: the application's system prompt; None: that of the conversations.

    Raises:
        EvaluationError: the task set has too few answered conversations, or no harmful request can be wrapped.
    """
    parts = [PROBES.empty()]
    if law.wrappers:
        parts.append(wrapped_sample(probes, law.wrappers, law.wrapped))
        if parts[-1].is_empty():
            raise EvaluationError(
                "no harmful request can be wrapped", expected="gate probes of safety that expect refuse, of one turn",
                do="add some, or take wrappers out of the policy",
            )  # fmt: skip
    if law.in_domain:
        parts.append(in_domain_sample(probes, tasks(), law.in_domain, system))
    return pl.concat(parts)


def measure_apart(
    asked: pl.DataFrame, asks: Mapping[str, Ask], headline: Mapping[str, pl.DataFrame], law: ProbePolicy
) -> Apart:
    """Ask both models and compare them.

    Args:
        asked: PROBES from `asked_apart`.
        asks: side to whom it is put.
        headline: side to SCORES of the gate probes; the wrapped requests asked plainly are among them.
        law: what may be lost.
    """
    responses = {side: asks[side](asked) for side in SIDES}
    return compared_apart(
        asked, responses, {side: judge(asked, said) for side, said in responses.items()}, headline, law
    )


def compared_apart(
    asked: pl.DataFrame, responses: Mapping[str, pl.DataFrame], scores: Mapping[str, pl.DataFrame],
    headline: Mapping[str, pl.DataFrame], law: ProbePolicy,
) -> Apart:  # fmt: skip
    """The comparison of slices that were scored."""
    found = compare_slices(scores["base"], scores["tuned"], _within(law))
    attacks = {side: attack_success(pl.concat([headline[side], scores[side]])) for side in SIDES}
    return Apart(
        probes=asked, responses=responses, scores=scores, deltas=found.deltas, dimension_scores=found.scores,
        attacks=attacks,
    )  # fmt: skip


def _within(law: ProbePolicy) -> dict[str, float]:
    wrapped = {WRAPPED.rstrip(":"): law.wrapped.certify_within}
    return wrapped | ({IN_DOMAIN: law.in_domain.certify_within} if law.in_domain else {})


TABLES = {"probes": PROBES, "deltas": DELTAS, "dimension_scores": DIMENSION_SCORES}
BY_SIDE = {"responses": RESPONSES, "scores": SCORES, "attacks": ATTACK_SUCCESS}


def write_apart(folder: Path, apart: Apart) -> None:
    """Write every table, those of one side with the side in front."""
    for name, table in TABLES.items():
        write_frame(folder, f"apart_{name}", getattr(apart, name), table)
    for name, table in BY_SIDE.items():
        for side in SIDES:
            write_frame(folder, f"apart_{side}_{name}", getattr(apart, name)[side], table)


def read_apart(scores: Artefact | None) -> Apart | None:
    """What `write_apart` wrote into an eval_scores; None where nothing was asked apart."""
    if scores is None or not (scores.path / "apart_deltas.parquet").is_file():
        return None
    tables = {name: scores.frame(f"apart_{name}", table) for name, table in TABLES.items()}
    sides = {
        name: {side: scores.frame(f"apart_{side}_{name}", table) for side in SIDES} for name, table in BY_SIDE.items()
    }
    return Apart(**tables, **sides)  # type: ignore[arg-type]


def apart_verdicts(
    apart: Apart | None, law: Policy, today: date, why: str = "", waivers: Mapping[str, Act] | None = None
) -> dict[str, Verdict]:
    """One verdict for each wrapper, and for each dimension in domain, that the policy names; none by default.

    Args:
        apart: what was measured; None refuses.
        why: why it could not be measured, where that is known.
        waivers: dimension to the signed waiver of it, which holds in domain too.
    """
    probes, out = law.probes, list[Verdict]()
    deltas, scores = _rows(apart, "deltas"), _rows(apart, "dimension_scores")
    for wrapper in probes.wrappers:
        key = called(f"{WRAPPED}{wrapper}", "safety")
        attacks = {side: _attack(apart, side, wrapper) for side in SIDES}
        given = wrapped_budget(wrapper, probes.wrapped, deltas.get(key), scores.get(key), attacks, probes, today)
        out.append(not_asked(given.check, why) if why else given)
    for name in DIMENSIONS if probes.in_domain else ():
        key, rule = called(IN_DOMAIN, name), law.dimensions[name]
        waiver, rows = (waivers or {}).get(name), (deltas.get(key), scores.get(key))
        given = in_domain_budget(name, probes.in_domain, rule, *rows, probes, today, waiver)  # type: ignore[arg-type]
        out.append(not_asked(given.check, why) if why else given)
    return {verdict.check: verdict for verdict in out}


def _rows(apart: Apart | None, name: str) -> dict[str, dict]:
    return {row["dimension"]: row for row in getattr(apart, name).to_dicts()} if apart else {}


def _attack(apart: Apart | None, side: str, wrapper: str) -> dict | None:
    rows = apart.attacks[side].filter(pl.col("wrapper") == wrapper).to_dicts() if apart else []
    return rows[0] if rows else None


def apart_shown(apart: Apart | None) -> dict[str, object]:
    """For the metadata of eval_scores: numbers by slice and the table of attacks, base against candidate."""
    if apart is None:
        return {}
    shown: dict[str, object] = {
        f"apart/{row['dimension'].replace(' ', '_')}": row["drop"]
        for row in apart.deltas.to_dicts()
        if row["drop"] is not None
    }
    if not apart.attacks["tuned"].is_empty():
        shown["attack_success"] = attack_table(apart)
    table = apart.deltas.select(
        "dimension", "baseline", "candidate", "drop", "drop_high", "num_lost", "unscored_reason"
    )
    return {**shown, "apart": table}


def attack_table(apart: Apart) -> pl.DataFrame:
    """Attack success per wrapper with Wilson's 95% interval, base beside candidate."""
    sides = [
        apart.attacks[side].select("wrapper", pl.col("answered", "low", "high", "num_items").name.prefix(f"{side}_"))
        for side in SIDES
    ]
    return sides[0].join(sides[1], on="wrapper", how="full", coalesce=True, maintain_order="left")
