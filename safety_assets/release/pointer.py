"""The pointer that serving reads, and the history of every move of it.

root/released/<project>.json            the current record
root/released/<project>.history.jsonl   every record, oldest first, written before the pointer moves

Each record names the digest of the one before and its own, so that a line that was changed, removed or put in is
noticed; and the pointer is believed only where the history says that it stands there. This finds accidents and
shortcuts; who may write these files may also compute digests, and then the ledger and the signatures stand in between.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from safety_assets.errors import StoreError
from safety_assets.release.steady import steady
from safety_assets.store import canonical_json, digest_json, replace_text

START = "0" * 64
"""What the first record names as the digest before it."""
KEYS = ("sequence", "action", "at", "before", "over", "why", "objections", "release", "previous")
PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def released(root: Path, project: str) -> dict | None:
    """The current record, or None when nothing was released; StoreError when pointer or history is broken."""
    path = folder_of(root, project) / f"{project}.json"
    content, past = steady(path, lambda: history(root, project))
    if content is None:
        if len(past) > 1:
            raise broken(project, f"the pointer is gone, {len(past)} moves are in the history")
        return None  # a first move that ended before the pointer was written released nothing
    try:
        record = json.loads(content)
        sequence = record["sequence"]
    except (ValueError, KeyError, TypeError) as error:
        raise broken(project, f"the pointer cannot be read ({error!r})") from error
    if record not in past:
        raise broken(project, "the pointer was changed by hand: the history holds no such record")
    if any(later["over"] != sequence for later in past[sequence:]):
        raise broken(project, f"the pointer stands on move {sequence}, the history ends with move {len(past)}")
    return record


def history(root: Path, project: str) -> list[dict]:
    """Every record, oldest first; StoreError when a line cannot be read, or is not what was written."""
    path = folder_of(root, project) / f"{project}.history.jsonl"
    if not path.is_file():
        return []
    try:
        past = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise broken(project, f"the history cannot be read ({error!r})") from error
    before = START
    for number, record in enumerate(past, 1):
        if not is_whole(record) or record["sequence"] != number or record["previous"] != before:
            raise broken(project, f"move {number} of the history is not what was written")
        before = record["digest"]
    return past


def is_whole(record: object) -> bool:
    """Whether a record holds what a record holds and gives its own digest."""
    if not isinstance(record, dict) or not {*KEYS, "digest"} <= set(record):
        return False
    return record["digest"] == digest_json({key: value for key, value in record.items() if key != "digest"})


def move(
    root: Path, project: str, action: str, release: Mapping, *, before: int | None, over: int | None,
    why: str = "", objections: Sequence[str] = (),
) -> dict:  # fmt: skip
    """Write the history first, then the pointer: a crash between the two leaves the old release current.

    Args:
        action: promote or roll_back.
        before: move that a roll-back without a number returns to.
        over: move on which the pointer stands now.
        why: what whoever moves it says.
        objections: what the gate of the day has against it.
    """
    folder, past = folder_of(root, project), history(root, project)
    record = {
        "sequence": len(past) + 1,
        "action": action,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "before": before,
        "over": over,
        "why": why,
        "objections": list(objections),
        "release": release,
        "previous": past[-1]["digest"] if past else START,
    }
    record["digest"] = digest_json(record)
    lines = [canonical_json(r) + "\n" for r in (*past, record)]
    replace_text(folder / f"{project}.history.jsonl", "".join(lines))
    replace_text(folder / f"{project}.json", json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return record


def folder_of(root: Path, project: str) -> Path:
    """Where the pointers of a storage root lie; StoreError for what cannot name a project."""
    if not PROJECT.fullmatch(project):
        raise StoreError(f"{project!r} is no project name", expected="letters, digits, '.', '_', '-'", do="rename it")
    return root / "released"


def broken(project: str, what: str) -> StoreError:
    """What is wrong with the pointer or its history."""
    return StoreError(
        f"the release of {project} is broken: {what}",
        expected="a pointer and a history that `promote` and `rollback` wrote",
        do="restore the folder `released` from a copy; where only the pointer is broken, type safety-assets rollback "
        "--to NUMBER of a move in safety-assets history",
    )
