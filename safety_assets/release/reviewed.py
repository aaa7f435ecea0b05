"""Two judges and the people over them: nothing is certified while an answer waits to be read."""

from collections.abc import Mapping

from safety_assets.measures import Judges
from safety_assets.records import Verdict
from safety_assets.release.closed import count, fails_closed, figure, not_certified, settle

CHECK = "answers_reviewed"


@fails_closed(CHECK)
def answers_reviewed(found: Mapping | None, rule: Judges, named: str, why: str = "") -> Verdict:
    """Judges agree often enough, and people have read what they do not agree on. It never fails: it stays open.

    Args:
        found: `disagreement` and `num_answers` by side, `num_queued`, `num_unread`; None where nobody judged twice.
        rule: the policy's demand.
        named: the recipe or checkpoint, for the command that a person types.
        why: why it could not be judged twice, where that is known.
    """
    if why or found is None:
        return not_certified(CHECK, f"The answers were not judged twice: {why or 'materialize eval_scores again.'}")
    unread = count(found, "num_unread")
    numbers: dict[str, float | int] = {"num_queued": count(found, "num_queued")}
    shares = {side: figure(found["disagreement"], side) for side in ("base", "tuned")}
    gaps = [
        f"Two judges disagree on {share:.1%} of the answers of the {side} model, the policy allows "
        f"{rule.max_disagreement:.1%}. Fit or choose a judge for answers like these."
        for side, share in shares.items()
        if not 0 <= share <= rule.max_disagreement + 1e-9
    ]
    silent = [side for side in shares if count(found["num_answers"], side) == 0]
    gaps += [f"The {side} model gave no answer that two judges could be asked about." for side in silent]
    if unread:
        gaps.append(
            f"{unread} of {numbers['num_queued']} answers wait for a person. Type: safety-assets review queue {named} "
            "--out review.csv (after `gate`: gate again with --review review.csv), fill in label and who, then "
            "safety-assets review record review.csv, and decide again."
        )
    numbers |= {"num_unread": unread, **{f"disagree_{side}": share for side, share in shares.items()}}
    return settle(CHECK, [], gaps, [], numbers)
