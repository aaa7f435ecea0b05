"""What nothing refers to any more, and its removal. What anything that counts names stays, and all it was made from.

What counts: every decision and release ever made, current pointers, the ledger, the history of releases, unfinished
work, and any other file of the store that names an artefact, whoever wrote it. Only the memory of finished work
(`made/`) and the cache of verdicts are no reason to keep anything.
"""

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from safety_assets.errors import StoreError
from safety_assets.release import ledger, promotion
from safety_assets.store import Store

DECIDED = ("release_decision", "model_card", "released_model", "external_verdict")
"""Assets of which every artefact counts, current or not."""
NO_REASON = ("objects", "made", "verdicts", "locks", "smoke")
"""Folders of the store whose files keep nothing. A smoke run has a store of its own, of which nothing counts."""
LARGEST = 16 * 2**20
"""Bytes of a file that is read for names of artefacts; larger ones are weights and tables."""
NAMED = re.compile(rb"[0-9a-f]{64}")
NEW, GONE = ".new-", ".gone-"
DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Unused:
    """An artefact that nothing refers to."""

    asset: str
    partition: str
    digest: str
    made_at: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class CleanUp:
    """What could be removed, or was.

    Args:
        removed: whether it was.
        unused: artefacts that nothing refers to.
        leftovers: folders under `objects/` that a killed process left half written or half removed.
        kept: number of artefacts that stay.
        size_bytes: of all that could be removed.
    """

    removed: bool
    unused: tuple[Unused, ...]
    leftovers: tuple[str, ...]
    kept: int
    size_bytes: int

    def document(self) -> dict:
        """In JSON types."""
        return {**asdict(self), "unused": [asdict(one) for one in self.unused], "leftovers": list(self.leftovers)}


def clean_up(store: Store, *, dry_run: bool = True, min_age_days: float = 1.0) -> CleanUp:
    """Find what nothing refers to, and remove it unless this is a dry run.

    Args:
        min_age_days: what is younger stays: a step that runs now may be about to use it.

    Raises:
        StoreError: the ledger, the history of releases or a pointer is broken, so that it cannot be known what counts;
            or work is under way and this is no dry run.
    """
    before = time.time() - min_age_days * DAY
    _demand_sound(store)
    if not dry_run:
        _demand_quiet(store)
    present, kept = _artefacts(store), referred_to(store)
    unused = {d for d in present if d not in kept and (present[d] / "manifest.json").stat().st_mtime < before}
    leftovers = [path for path in _leftovers(store) if path.stat().st_mtime < before]
    listed = tuple(sorted((_unused(present[d]) for d in unused), key=lambda one: (one.made_at, one.digest)))
    size = sum(one.size_bytes for one in listed) + sum(map(_size, leftovers))
    if not dry_run:
        _remove(store, unused, leftovers)
    return CleanUp(
        removed=not dry_run, unused=listed, leftovers=tuple(path.name for path in leftovers),
        kept=len(present) - len(unused), size_bytes=size,
    )  # fmt: skip


def referred_to(store: Store) -> set[str]:
    """Digests of every artefact that counts, and of every artefact that one of them was made from."""
    present = _artefacts(store)
    pending = [digest for path in _telling(store) for digest in _names(path)]
    pending += [digest for digest, folder in present.items() if _asset(folder) in (*DECIDED, None)]
    found: set[str] = set()
    while pending:
        digest = pending.pop()
        if digest in present and digest not in found:
            found.add(digest)
            pending.extend(_names(present[digest] / "manifest.json"))
    return found


def _telling(store: Store) -> Iterator[Path]:
    """Files of the store whose naming of an artefact keeps it."""
    for top in store.root.iterdir() if store.root.is_dir() else ():
        if top.name not in NO_REASON:
            files = top.rglob("*") if top.is_dir() else (top,)
            yield from (path for path in files if path.is_file() and path.stat().st_size <= LARGEST)


def _names(path: Path) -> set[str]:
    return {found.decode() for found in NAMED.findall(path.read_bytes())}


def _artefacts(store: Store) -> dict[str, Path]:
    """Digest to folder of every artefact with a manifest."""
    return {path.parent.name: path.parent for path in (store.root / "objects").glob("[0-9a-f]*/manifest.json")}


def _asset(folder: Path) -> str | None:
    """What an artefact is of; None when its manifest cannot be read: it is kept, and told where it is used."""
    try:
        return str(json.loads((folder / "manifest.json").read_text())["asset"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _unused(folder: Path) -> Unused:
    manifest = json.loads((folder / "manifest.json").read_text())
    asset, partition, made_at = (str(manifest[key]) for key in ("asset", "partition", "made_at"))
    return Unused(asset=asset, partition=partition, digest=folder.name, made_at=made_at, size_bytes=_size(folder))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _leftovers(store: Store) -> list[Path]:
    return sorted(p for p in (store.root / "objects").glob(".*") if p.name.startswith((NEW, GONE)))


def _demand_sound(store: Store) -> None:
    """StoreError where what counts cannot be read."""
    ledger.read(store.root)
    for path in (store.root / "released").glob("*.history.jsonl"):
        promotion.history(store.root, path.name.removesuffix(".history.jsonl"))
    for path in (store.root / "current").glob("*/*.json"):
        store.current(path.parent.name, path.stem)


def _demand_quiet(store: Store) -> None:
    """StoreError while any process holds the lock of some work."""
    for path in (store.root / "locks").glob("*.lock"):
        with path.open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                handle.seek(0)
                raise StoreError(
                    f"process {handle.read() or '?'} is at work in {store.root}",
                    expected="a store at rest", do="wait until it is done, then clean up again",
                ) from error  # fmt: skip


def _remove(store: Store, unused: Iterable[str], leftovers: Iterable[Path]) -> None:
    """Forget it, set it aside, put back what somebody came to need meanwhile, and remove the rest."""
    gone, objects = set(unused), store.root / "objects"
    for path in (store.root / "made").glob("*.json"):
        if _names(path) & gone:
            with store.lock(path.stem):
                path.unlink(missing_ok=True)
    aside = {digest: objects / f"{GONE}{digest}" for digest in gone}
    for digest, place in aside.items():
        os.rename(objects / digest, place)
    needed = {digest for path in _telling(store) for digest in _names(path)} & gone
    for digest, place in aside.items():
        if digest in needed:
            os.rename(place, objects / digest)
        else:
            shutil.rmtree(place)
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
