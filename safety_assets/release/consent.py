"""Verdicts on what people signed: sign-offs of a release and of a policy, holds, what became of lost categories."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date

from safety_assets.people import Role, holders
from safety_assets.policy import Policy
from safety_assets.records import Verdict
from safety_assets.release.bindings import is_digest
from safety_assets.release.closed import count, fails_closed, figure, not_certified, passed, settle
from safety_assets.release.signed import Signed

SIGNIFICANT = 0.05
"""Level, after Benjamini-Hochberg over all categories, at which a category counts as lost."""


@fails_closed("signed_off")
def signed_off(policy: Policy, signed: Signed, weights: str, case: str, today: date) -> Verdict:
    """For each role that the policy demands, another person signed these weights, or this decision on them.

    Args:
        policy: names people and demanded roles.
        signed: the signed files of the project.
        weights: identity digest of the candidate.
        case: `case_digest` of the decision.
        today: sign-offs may end.
    """
    check, demanded = "signed_off", policy.demanded_roles
    if not is_digest(weights):
        return not_certified(check, "The weights have no digest, so nothing can be signed. Make the checkpoint again.")
    given = signed.sign_offs(weights, case, today)
    numbers = {"num_demanded": len(demanded), "num_signed": sum(len(people) for people in given.values())}
    if _by_different_people(demanded, given):
        return passed(check, *_told(demanded, given), **numbers)
    gaps = [_missing(policy, role, weights) for role in dict.fromkeys(demanded) if not given.get(role)]
    if not gaps:
        gaps = [f"{', '.join(demanded)} must be signed for by different people. {_to_sign(weights)}"]
    return settle(check, [], gaps, [], numbers)


def _by_different_people(demanded: Sequence[Role], given: Mapping[Role, set[str]]) -> bool:
    """Whether each demanded role has a signer of its own."""
    choices = itertools.product(*(sorted(given.get(role, ())) for role in demanded))
    return any(len(set(people)) == len(demanded) for people in choices)


def _told(demanded: Sequence[Role], given: Mapping[Role, set[str]]) -> list[str]:
    return [f"Signed by {' and '.join(sorted(given[role]))} as {_words(role)}." for role in dict.fromkeys(demanded)]


def _missing(policy: Policy, role: Role, weights: str) -> str:
    able = sorted(holders(policy.people, role))
    if not able:
        return (
            f"The policy names no {_words(role)}, who must sign. Add the person under people, with the key that "
            "safety-assets keys new prints."
        )
    return f"No {_words(role)} ({', '.join(able)}) has signed weights {weights[:12]}. {_to_sign(weights)}"


def _to_sign(weights: str) -> str:
    return f"To sign: safety-assets sign RECIPE, or sign --weights {weights}; then decide again."


def _words(role: Role) -> str:
    return role.replace("_", " ")


@fails_closed("policy_binds")
def policy_binds(
    trained_under: str | None,
    now: str | None,
    owners_then: Mapping[str, str] | None,
    policy: Policy,
    signed: Signed,
    today: date,
) -> Verdict:
    """The decision obeys the policy in force at training, or a model owner whom that policy names signed the newer one.

    The newer policy cannot name its own judge: whoever loosens it could add a key of theirs. So the signer must be
    model owner, with the same key, under both.

    Args:
        trained_under: digest of the policy in the checkpoint's manifest.
        now: digest of the policy in force.
        owners_then: model owners whom the policy at training names, to their keys; None when it is not at hand.
        policy: the policy in force.
        signed: the signed files of the project.
        today: sign-offs may end.
    """
    check = "policy_binds"
    if not is_digest(trained_under) or not is_digest(now):
        return not_certified(check, "A policy digest is missing. Materialize finetuned_checkpoint again.")
    numbers = {"trained_under": str(trained_under)[:12], "now": str(now)[:12]}
    if trained_under == now:
        return passed(check, **numbers)
    changed = f"The policy was {numbers['trained_under']} at training and is {numbers['now']} now"
    if owners_then is None:
        return not_certified(check, f"{changed}, and the older one is not at hand. Train again under it.", **numbers)
    owners = {name for name, key in holders(policy.people, "model_owner").items() if owners_then.get(name) == key}
    signers = sorted({act.who for act in signed.of_policy(str(now), today)} & owners)
    if signers:
        return passed(check, f"{changed}; {' and '.join(signers)} signed the newer one.", **numbers)
    able = f"have {' or '.join(sorted(owners))} sign it: safety-assets sign --policy" if owners else ""
    why = able or "the policy at training names no model owner who could sign a newer one"
    return not_certified(check, f"{changed}. Train again under it; {why}.", **numbers)


@fails_closed("not_held")
def not_held(signed: Signed, weights: str | None, today: date) -> Verdict:
    """No model owner holds these weights or the project back; files that do not count are named.

    Args:
        signed: the signed files of the project.
        weights: identity digest of the candidate.
        today: holds may end.
    """
    if not is_digest(weights):
        return not_certified("not_held", "The weights have no digest. Make the checkpoint again.")
    held, void = list(signed.holds(weights, today)), list(signed.told_void())
    return settle("not_held", [], held, void, {"num_holds": len(held), "num_void": len(void)})


@fails_closed("losses_disposed")
def losses_disposed(
    policy: Policy, lost: Sequence[Mapping[str, object]] | None, signed: Signed, weights: str, today: date
) -> Verdict:
    """Every category that is significantly lost was accepted by a person, where the policy asks; none is to be mended.

    Args:
        policy: `asks_dispositions`.
        lost: rows of the categories with dimension, category, num_lost, num_items, p_adjusted; None: not compared.
        signed: the signed files of the project.
        weights: identity digest of the candidate.
        today: acceptances end.
    """
    check = "losses_disposed"
    if lost is None:
        return not_certified(check, "What was forgotten is not known. Materialize forgotten_behaviours again.")
    said, gaps, notes = signed.dispositions(weights, today), list[str](), list[str]()
    significant = [row for row in lost if count(row, "num_lost") and figure(row, "p_adjusted") < SIGNIFICANT]
    for row in significant:
        act = said.get((str(row["dimension"]), str(row["category"])))
        if act is not None:
            (gaps if act.outcome == "fix" else notes).append(act.sentence())
        elif policy.asks_dispositions:
            gaps.append(_undisposed(row))
    return settle(check, [], gaps, notes, {"num_lost_categories": len(significant), "num_disposed": len(notes)})


def _undisposed(row: Mapping[str, object]) -> str:
    place = f"{row['dimension']} {row['category']}"
    return (
        f"{row['dimension']}/{row['category']} loses {count(row, 'num_lost')} of {count(row, 'num_items')} items "
        f"(adjusted p {figure(row, 'p_adjusted'):.4f}) and nobody disposed of it. Train again, or: "
        f"safety-assets dispose RECIPE {place} --accept."
    )
