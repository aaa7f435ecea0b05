"""What is released: promoting an approved release, and rolling back to one that was released before.

Both move the one pointer of a project under one lock; `release/pointer.py` keeps it and its history.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from safety_assets.errors import GateRefused, StoreError
from safety_assets.release import ledger, pointer
from safety_assets.release.decision import REQUIRED, Decision, from_dict
from safety_assets.release.pointer import history, released

__all__ = ["demand_approved", "history", "promote", "released", "roll_back"]

NOWHERE = {
    "expected": "a release before the current one",
    "do": "release an approved recipe: safety-assets run RECIPE --release",
}
Look = Callable[[Mapping], Sequence[str]]
"""Looks at a release that shall be served: what the gate of the day has against it; StoreError where it cannot be."""


def promote(root: Path, project: str, release: Mapping, *, why: str = "") -> dict:
    """Make a release the current one; where it is that already, nothing moves.

    Args:
        root: storage root, the one whose ledger holds the decision.
        project: name of the project.
        release: JSON types; `decision` (as `Decision.as_dict` gives it) and `weights` (identity digest recomputed
            from the bytes) are required, everything else (recipe, checkpoint, card) is kept as it is.

    Returns:
        The record now current: sequence, action, at, before (sequence that a roll-back returns to), release.

    Raises:
        GateRefused: the decision is not approved, is of other weights, is not in the ledger, or a later decision
            about these weights is not an approval.
        StoreError: the ledger, the pointer or the history is broken.
    """
    decision = _approved(release, REQUIRED)
    with ledger.locked(pointer.folder_of(root, project)):
        _last_word(root, decision)
        now = released(root, project)
        if now is not None and now["release"] == release:
            return now
        stands = now["sequence"] if now else None
        return pointer.move(root, project, "promote", release, before=stands, over=stands, why=why)


def roll_back(
    root: Path, project: str, look: Look = lambda release: (), *, to: int | None = None, why: str = ""
) -> dict:
    """Return to a release that was current before; without a number to the one before this, and again before that.

    It asks no policy: what was approved and served may be served again. What the gate of the day has against it is
    recorded. With a number it works over a broken pointer too.

    Args:
        root: storage root.
        project: name of the project.
        look: looks at the release that will be current; where it raises the pointer stays.
        to: number of a move in the history.
        why: stands in the history.

    Raises:
        GateRefused: nothing is released, there is no earlier release or no such move, or that one is current.
        StoreError: the history is broken, or what it holds was never approved.
    """
    with ledger.locked(pointer.folder_of(root, project)):
        now = _current(root, project, needed=to is None)
        past = history(root, project)
        wanted = to if to is not None else _one_before(project, now)
        target = next((record for record in past if record["sequence"] == wanted), None)
        if target is None:
            numbers = f"a number from 1 to {len(past)}" if past else "a release"
            raise GateRefused(
                "rollback", [f"The history of {project} has no move {wanted}."], expected=numbers,
                do="safety-assets history",
            )  # fmt: skip
        if now is not None and now["release"] == target["release"]:
            raise GateRefused("rollback", [f"Move {wanted} is what is released already."], do="safety-assets history")
        demand_approved(root, target["release"])
        over = now["sequence"] if now else None
        return pointer.move(
            root, project, "roll_back", target["release"], before=target["before"], over=over, why=why,
            objections=look(target["release"]),
        )  # fmt: skip


def demand_approved(root: Path, release: Mapping) -> Decision:
    """The decision that a release was made by, which the ledger holds as an approval of these weights.

    Raises:
        StoreError: it is no approval of these weights, it is not in the ledger, or the ledger is broken.
    """
    try:
        decision = _approved(release, ())
    except GateRefused as error:
        raise StoreError(
            f"what is released was never approved: {error.reasons[0]}",
            expected="a release that `promote` made from a decision", do="safety-assets rollback --to NUMBER",
        ) from error  # fmt: skip
    if decision.digest not in {entry.decision.digest for entry in ledger.read(root)}:
        raise StoreError(
            f"the release of {decision.recipe} rests on a decision that is not in the ledger",
            expected="a release that `promote` made from a decision", do="safety-assets rollback --to NUMBER",
        )  # fmt: skip
    return decision


def _current(root: Path, project: str, *, needed: bool) -> dict | None:
    try:
        return released(root, project)
    except StoreError:
        if needed:
            raise
        return None


def _one_before(project: str, now: Mapping | None) -> int:
    if now is None or now["before"] is None:
        have = "There is no release" if now is None else "There is no release before the current one"
        raise GateRefused("rollback", [f"{have} of {project}."], **NOWHERE)
    return now["before"]


def _approved(release: Mapping, required: Sequence[str]) -> Decision:
    try:
        decision = from_dict(release["decision"], required)
    except (KeyError, TypeError, StoreError) as error:
        raise GateRefused("promote", [f"The release holds no sound decision ({error}). Decide first."]) from error
    if decision.status != "approved":
        raise GateRefused("promote", [f"The decision on {decision.recipe} is {decision.status}.", *decision.reasons])
    weights, decided = release.get("weights"), decision.digests.get("weights")
    if not weights or weights != decided:
        raise GateRefused(
            "promote",
            [f"The weights are {str(weights)[:12]}, the decision is about {str(decided)[:12]}. Decide on these."],
        )
    return decision


def _last_word(root: Path, decision: Decision) -> None:
    """The last word of the ledger on these weights must be this approval or another."""
    weights = decision.digests["weights"]
    about = [e.decision for e in ledger.read(root) if e.decision.digests.get("weights") == weights]
    if decision.digest not in {d.digest for d in about}:
        raise GateRefused("promote", ["The decision is not in the ledger. Materialize release_decision again."])
    if about[-1].status != "approved":
        raise GateRefused(
            "promote", [f"The latest decision on these weights is {about[-1].status}.", *about[-1].reasons]
        )
