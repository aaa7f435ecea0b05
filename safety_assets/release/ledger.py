"""The ledger of decisions: one immutable JSON file each, each naming the digest of the one before.

root/ledger/000001-<digest12>.json   one entry
root/ledger/head.json                number and digest of the last one: a missing tail is noticed
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from safety_assets.errors import StoreError
from safety_assets.release.decision import Decision, from_dict
from safety_assets.release.steady import steady
from safety_assets.store import digest_json, replace_text

START = "0" * 64
"""What the first entry names as the digest before it."""


@dataclass(frozen=True)
class Entry:
    """One decision in the ledger."""

    number: int
    previous: str
    digest: str
    written_at: str
    decision: Decision


def append(root: Path, decision: Decision) -> Entry:
    """Add a decision under a lock and return its entry.

    Raises:
        StoreError: the ledger as it stands is broken; nothing is added to a broken chain.
    """
    with locked(root / "ledger"):
        entries = read(root)
        body = {
            "number": len(entries) + 1,
            "previous": entries[-1].digest if entries else START,
            "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "decision": decision.as_dict(),
        }
        digest = digest_json(body)
        path = root / "ledger" / _name(len(entries) + 1, digest)
        replace_text(path, json.dumps({**body, "digest": digest}, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        path.chmod(0o444)
        _write_head(root, len(entries) + 1, digest)
        return _entry({**body, "digest": digest}, path)


def read(root: Path) -> tuple[Entry, ...]:
    """All entries, oldest first, after verifying the chain.

    Raises:
        StoreError: an entry was changed, removed or put in; the broken link is named.
    """
    head, entries = steady(root / "ledger" / "head.json", lambda: _chain(root))
    _compare_head(head, entries)
    return tuple(entries)


def _chain(root: Path) -> list[Entry]:
    entries: list[Entry] = []
    for path in sorted((root / "ledger").glob("[0-9]*.json")):
        entry = _read_entry(path)
        before = entries[-1].digest if entries else START
        if entry.number != len(entries) + 1:
            raise _broken(path.name, f"has number {entry.number}, entry {len(entries) + 1} is missing or stands twice")
        if entry.previous != before:
            raise _broken(path.name, f"names {entry.previous[:12]} as the one before, which is {before[:12]}")
        entries.append(entry)
    return entries


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the one lock of a folder; a second process waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read_entry(path: Path) -> Entry:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        body = {key: value[key] for key in ("number", "previous", "written_at", "decision")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(path.name, f"cannot be read ({error!r})") from error
    digest = digest_json(body)
    if value.get("digest") != digest or path.name != _name(body["number"], digest):
        raise _broken(path.name, "was changed: its content does not give its digest")
    return _entry(value, path)


def _entry(value: Mapping, path: Path) -> Entry:
    try:
        decision = from_dict(value["decision"], required=())
    except StoreError as error:
        raise _broken(path.name, f"holds no sound decision ({error.found})") from error
    return Entry(value["number"], value["previous"], value["digest"], value["written_at"], decision)


def _compare_head(content: bytes | None, entries: list[Entry]) -> None:
    """A chain may be one entry ahead of its head (a crash between the two writes), never behind."""
    if content is None:
        if len(entries) > 1:
            raise _broken("head.json", "is missing")
        return
    try:
        head = json.loads(content)
        number, digest = int(head["number"]), head["digest"]
    except (ValueError, KeyError, TypeError) as error:
        raise _broken("head.json", f"cannot be read ({error!r})") from error
    if not 1 <= number <= len(entries) or len(entries) > number + 1:
        raise _broken(f"entry {len(entries) + 1:06d}", f"is missing: the head is {number}, {len(entries)} are there")
    if entries[number - 1].digest != digest:
        raise _broken("head.json", f"names {str(digest)[:12]}, entry {number} is {entries[number - 1].digest[:12]}")


def _write_head(root: Path, number: int, digest: str) -> None:
    replace_text(root / "ledger" / "head.json", json.dumps({"number": number, "digest": digest}) + "\n")


def _name(number: int, digest: str) -> str:
    return f"{number:06d}-{digest[:12]}.json"


def _broken(where: str, what: str) -> StoreError:
    return StoreError(
        f"the ledger is broken: {where} {what}",
        expected="one file per decision, each naming the digest of the one before",
        do="restore the ledger folder from a copy; nothing is released on a broken ledger",
    )
