"""What is released: one pointer per project, moved atomically, with its history.

root/released/<project>.json            the current record; serving reads it
root/released/<project>.history.jsonl   every record, oldest first, written before the pointer moves
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from safety_assets.errors import GateRefused, StoreError
from safety_assets.release import ledger
from safety_assets.release.decision import Decision, from_dict
from safety_assets.store import canonical_json, replace_text

NOWHERE = {
    "expected": "a release before the current one",
    "do": "release an approved recipe: safety-assets run RECIPE --release",
}
PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def promote(root: Path, project: str, release: Mapping) -> dict:
    """Make a release the current one.

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
    decision = _approved(release)
    with ledger.locked(_folder(root, project)):
        _in_ledger(root, decision)
        now = released(root, project)
        return _move(root, project, "promote", dict(release), now["sequence"] if now else None)


def roll_back(root: Path, project: str, demand_whole: Callable[[Mapping], object] = lambda release: None) -> dict:
    """Return to the release that was current before this one, and again before that one when called twice.

    Args:
        root: storage root.
        project: name of the project.
        demand_whole: looks at the release that will be current, and raises where it cannot be served any more: then
            the pointer stays.

    Raises:
        GateRefused: nothing is released, or there is no earlier release.
        StoreError: the pointer or the history is broken.
    """
    with ledger.locked(_folder(root, project)):
        now = released(root, project)
        if now is None or now["before"] is None:
            have = "there is no release" if now is None else "there is no release before the current one"
            raise GateRefused("roll_back", [f"{have[0].upper()}{have[1:]} of {project}."], **NOWHERE)
        target = next((r for r in history(root, project) if r["sequence"] == now["before"]), None)
        if target is None:
            raise _broken(project, f"record {now['before']} is not in the history")
        demand_whole(target["release"])
        return _move(root, project, "roll_back", target["release"], target["before"])


def released(root: Path, project: str) -> dict | None:
    """The current record, or None when nothing was released; StoreError when the pointer is broken."""
    path = _folder(root, project) / f"{project}.json"
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {key: record[key] for key in ("sequence", "action", "at", "before", "release")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(project, f"the pointer cannot be read ({error!r})") from error


def history(root: Path, project: str) -> list[dict]:
    """Every record, oldest first; StoreError when a line cannot be read."""
    path = _folder(root, project) / f"{project}.history.jsonl"
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise _broken(project, f"the history cannot be read ({error!r})") from error


def _move(root: Path, project: str, action: str, release: dict, before: int | None) -> dict:
    """History first, then the pointer: a crash between the two leaves the old release current."""
    folder, past = _folder(root, project), history(root, project)
    record = {
        "sequence": max((r["sequence"] for r in past), default=0) + 1,
        "action": action,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "before": before,
        "release": release,
    }
    lines = [canonical_json(r) + "\n" for r in (*past, record)]
    replace_text(folder / f"{project}.history.jsonl", "".join(lines))
    replace_text(folder / f"{project}.json", json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return record


def _approved(release: Mapping) -> Decision:
    try:
        decision = from_dict(release["decision"])
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


def _in_ledger(root: Path, decision: Decision) -> None:
    """The last word of the ledger on these weights must be this approval or another."""
    weights = decision.digests["weights"]
    about = [e.decision for e in ledger.read(root) if e.decision.digests.get("weights") == weights]
    if decision.digest not in {d.digest for d in about}:
        raise GateRefused("promote", ["The decision is not in the ledger. Materialize release_decision again."])
    if about[-1].status != "approved":
        raise GateRefused(
            "promote", [f"The latest decision on these weights is {about[-1].status}.", *about[-1].reasons]
        )


def _folder(root: Path, project: str) -> Path:
    if not PROJECT.fullmatch(project):
        raise StoreError(f"{project!r} is no project name", expected="letters, digits, dot, hyphen, underscore")
    return root / "released"


def _broken(project: str, what: str) -> StoreError:
    return StoreError(
        f"the release record of {project} is broken: {what}",
        do="restore the released folder from a copy, or promote again",
    )
