"""Verdicts on what belongs together: weights and scores, policy and checkpoint, signatures, upstream evidence."""

import re
from collections.abc import Mapping, Sequence

from safety_assets.policy import Policy
from safety_assets.records import Verdict
from safety_assets.release.closed import fails_closed, not_certified, passed, settle

DIGEST = re.compile(r"[0-9a-f]{12,64}")


@fails_closed("weights_are_the_ones_scored")
def weights_are_the_ones_scored(weights_now: str | None, scored: Mapping[str, str | None]) -> Verdict:
    """The weights about to be released are the ones every piece of evidence was made with.

    Args:
        weights_now: identity digest recomputed from the bytes of the checkpoint.
        scored: piece of evidence (manifest, scores, task_scores, ...) to the identity digest it names; at least one.
    """
    check = "weights_are_the_ones_scored"
    if not _is_digest(weights_now):
        return not_certified(check, "The weights have no digest. Materialize finetuned_checkpoint again.")
    if not scored:
        return not_certified(check, "No evidence names the weights it was made with. Materialize eval_scores again.")
    missing = [f"{name} names no weights. Materialize it again." for name, d in scored.items() if not _is_digest(d)]
    faults = [
        f"{name} was made with weights {d[:12]}, the checkpoint now is {str(weights_now)[:12]}. Score these weights."
        for name, d in scored.items()
        if d is not None and _is_digest(d) and d != weights_now
    ]
    return settle(check, faults, missing, [], {"weights": str(weights_now)[:12]})


@fails_closed("signed_off")
def signed_off(policy: Policy, signatures: Sequence[Mapping[str, str]], weights: str) -> Verdict:
    """Everyone whom the policy demands has signed these very weights.

    Args:
        policy: `sign_offs` names the people; under risk high at least one must be named.
        signatures: each with `who` and `digest`, the identity digest of the weights that were signed.
        weights: identity digest of the candidate.
    """
    check = "signed_off"
    if not _is_digest(weights):
        return not_certified(check, "The weights have no digest, so nothing can be signed. Make the checkpoint again.")
    if policy.risk == "high" and not policy.sign_offs:
        return not_certified(check, "The risk is high and the policy names nobody to sign. Name people in sign_offs.")
    signed = {s["who"] for s in signatures if s.get("digest") == weights}
    gaps = [
        f"{who} has not signed weights {weights[:12]}. {_to_sign(who, weights)}"
        for who in policy.sign_offs
        if who not in signed
    ]
    return settle(check, [], gaps, [], {"num_demanded": len(policy.sign_offs), "num_signed": len(signed)})


@fails_closed("policy_binds")
def policy_binds(
    trained_under: str | None, now: str | None, owner: str, signatures: Sequence[Mapping[str, str]] = ()
) -> Verdict:
    """The decision obeys the policy in force when the checkpoint was trained, or its owner signed the newer one.

    Args:
        trained_under: digest of the policy in the checkpoint's manifest.
        now: digest of the policy in force.
        owner: who owns the policy.
        signatures: each with `who` and `digest`, here the digest of the policy that was signed.
    """
    check = "policy_binds"
    if not _is_digest(trained_under) or not _is_digest(now):
        return not_certified(check, "A policy digest is missing. Materialize finetuned_checkpoint again.")
    numbers = {"trained_under": str(trained_under)[:12], "now": str(now)[:12]}
    if trained_under == now:
        return passed(check, **numbers)
    changed = f"The policy was {numbers['trained_under']} at training and is {numbers['now']} now"
    if any(s.get("who") == owner and s.get("digest") == now for s in signatures):
        return passed(check, f"{changed}; {owner} signed the newer one.", **numbers)
    remedy = f"Train again under it, or have {owner} sign it. {_to_sign(owner, str(now))}"
    return not_certified(check, f"{changed}. {remedy}", **numbers)


@fails_closed("evidence_is_current")
def evidence_is_current(problems: Sequence[str] | None) -> Verdict:
    """Nothing upstream is missing, stale or red.

    Args:
        problems: one sentence per problem with its remedy; empty when all is well; None when nobody looked.
    """
    check = "evidence_is_current"
    if problems is None:
        return not_certified(check, "Nobody looked at the evidence upstream. Walk the manifests before deciding.")
    sentences = [problems] if isinstance(problems, str) else [str(p) for p in problems]
    return settle(check, [], sentences, [], {"num_problems": len(sentences)})


def _to_sign(who: str, digest: str) -> str:
    """What a signature looks like: a line to be copied."""
    return f"Signing is an entry under `signatures:` in sign_offs.yaml: - {{who: {who}, digest: {digest}, why: ...}}."


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None
