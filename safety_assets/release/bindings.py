"""Verdicts on what belongs together: weights and scores, upstream evidence."""

import re
from collections.abc import Mapping, Sequence

from safety_assets.records import Verdict
from safety_assets.release.closed import fails_closed, not_certified, settle

DIGEST = re.compile(r"[0-9a-f]{12,64}")


@fails_closed("weights_are_the_ones_scored")
def weights_are_the_ones_scored(weights_now: str | None, scored: Mapping[str, str | None]) -> Verdict:
    """The weights about to be released are the ones every piece of evidence was made with.

    Args:
        weights_now: identity digest recomputed from the bytes of the checkpoint.
        scored: piece of evidence (manifest, scores, task_scores, ...) to the identity digest it names; at least one.
    """
    check = "weights_are_the_ones_scored"
    if not is_digest(weights_now):
        return not_certified(check, "The weights have no digest. Materialize finetuned_checkpoint again.")
    if not scored:
        return not_certified(check, "No evidence names the weights it was made with. Materialize eval_scores again.")
    missing = [f"{name} names no weights. Materialize it again." for name, d in scored.items() if not is_digest(d)]
    faults = [
        f"{name} was made with weights {d[:12]}, the checkpoint now is {str(weights_now)[:12]}. Score these weights."
        for name, d in scored.items()
        if d is not None and is_digest(d) and d != weights_now
    ]
    return settle(check, faults, missing, [], {"weights": str(weights_now)[:12]})


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


def is_digest(value: object) -> bool:
    """Whether a value is a digest in hex, whole or the beginning of one."""
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None
