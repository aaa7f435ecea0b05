"""Where artefacts live: immutable objects by digest, one small pointer per asset and partition.

    root/objects/<digest>/           the files of one artefact and its manifest.json
    root/current/<asset>/<partition>.json   which digest is current (replaced atomically)
    root/made/<key>.json             what a given work order gave, so that it is not done twice
    root/work/<key>/                 unfinished work, resumable (training)

An artefact's digest covers its name, its files and the digests of its inputs (a Merkle tree): whoever
holds a digest can follow it back to the sources, and equal bytes made from other inputs are another artefact.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from safety_assets.errors import StoreError
from safety_assets.frames import Shards, open_shards
from safety_assets.records import Table

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
WHOLE = "all"
"""Partition name of an asset without partitions."""


def digest_bytes(data: bytes) -> str:
    """sha256 in hex."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: object) -> str:
    """sha256 of the canonical JSON of a value: keys sorted, no spaces."""
    return digest_bytes(canonical_json(value).encode())


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces, for hashing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_file(path: Path) -> str:
    """sha256 of a file's bytes, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest_folder(folder: Path) -> dict[str, str]:
    """Relative name to sha256 of every file under a folder, manifest.json left out."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")
    return {p.relative_to(folder).as_posix(): digest_file(p) for p in files}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is known of an artefact. `facts` (timings, run ids) are not part of the digest."""

    schema_version: int
    asset: str
    partition: str
    digest: str
    files: Mapping[str, str]
    inputs: Mapping[str, str]
    code_version: str
    made_at: str
    run_id: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Artefact:
    """One immutable artefact: its manifest and the folder that holds its files."""

    manifest: Manifest
    path: Path

    @property
    def asset(self) -> str:
        return self.manifest.asset

    @property
    def partition(self) -> str:
        return self.manifest.partition

    @property
    def digest(self) -> str:
        return self.manifest.digest

    def frame(self, name: str, table: Table) -> pl.DataFrame:
        """A table of this artefact in memory, checked against its schema."""
        return self.shards(name, table).whole()

    def shards(self, name: str, table: Table) -> Shards:
        """A table of this artefact, to be read lazily or shard by shard."""
        return open_shards(self.path / name, table)

    def json(self, name: str) -> dict:
        """A JSON file of this artefact."""
        return json.loads((self.path / f"{name}.json").read_text())

    def verify(self) -> None:
        """Re-hash every file; StoreError when one is not what the manifest says."""
        now = digest_folder(self.path)
        if now != dict(self.manifest.files):
            changed = sorted(set(now.items()) ^ set(self.manifest.files.items()))
            names = ", ".join(sorted({name for name, _ in changed}))
            raise StoreError(
                f"artefact {self.asset} {self.digest[:12]} was changed on disk: {names}",
                expected="files as their manifest records them",
                do=f"restore {self.path} from a copy, or materialize {self.asset} again",
            )
        expected = _merkle(self.asset, self.partition, self.manifest.files, self.manifest.inputs)
        if expected != self.digest:
            raise StoreError(
                f"the manifest of {self.asset} {self.digest[:12]} does not give its own digest",
                do=f"restore {self.path} from a copy, or materialize {self.asset} again",
            )


def _merkle(asset: str, partition: str, files: Mapping[str, str], inputs: Mapping[str, str]) -> str:
    return digest_json([SCHEMA_VERSION, asset, partition, dict(files), dict(inputs)])


def write_frame(folder: Path, name: str, frame: pl.DataFrame, table: Table) -> None:
    """Write a frame as Parquet after checking its schema."""
    table.check(frame).write_parquet(folder / f"{name}.parquet", compression="zstd", statistics=True)


def write_json(folder: Path, name: str, value: object) -> None:
    """Write a value as indented JSON with sorted keys."""
    (folder / f"{name}.json").write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def replace_text(path: Path, text: str) -> None:
    """Replace a small file atomically and durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(name, path)


class Store:
    """Artefacts under one root folder. Safe for several processes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def work(self, key: str) -> Path:
        """A folder for unfinished work under this key; it survives until `publish` of that key clears it."""
        folder = self.root / "work" / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def lock(self, key: str, what: str = "the same") -> Iterator[None]:
        """Hold the one lock of this work: a second process says that it waits, and waits until the first is done.

        Args:
            key: of the work.
            what: what is at work, for the sentence.
        """
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{key}.lock").open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                log.warning("process %s is at work on %s: waiting until it is done", handle.read() or "?", what)
                fcntl.flock(handle, fcntl.LOCK_EX)
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield

    def publish(
        self,
        asset: str,
        write: Callable[[Path], Mapping[str, object] | None],
        *,
        partition: str = WHOLE,
        inputs: Mapping[str, str],
        code_version: str,
        run_id: str = "",
        key: str | None = None,
        current: bool = True,
    ) -> Artefact:
        """Write files under a temporary name, digest them, move them into place, point `current` at them.

        Args:
            write: fills the folder it is given; what it returns becomes the manifest's facts.
            inputs: name of each input to its digest.
            key: work order under which `made` will find this artefact again.
            current: whether `current` points at it; else nothing refers to it until somebody names its digest.
        """
        objects = self.root / "objects"
        objects.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=objects, prefix=".new-"))
        try:
            facts = dict(write(folder) or {})
            files = digest_folder(folder)
            digest = _merkle(asset, partition, files, inputs)
            manifest = Manifest(
                schema_version=SCHEMA_VERSION, asset=asset, partition=partition, digest=digest, files=files,
                inputs=dict(inputs), code_version=code_version, run_id=run_id, facts=facts,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )  # fmt: skip
            replace_text(folder / "manifest.json", json.dumps(vars(manifest), indent=2, sort_keys=True))
            self._settle(folder, objects / digest)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if key is not None:
            replace_text(self.root / "made" / f"{key}.json", json.dumps({"digest": digest}))
        return self.point(asset, partition, digest) if current else self.open(digest)

    def _settle(self, folder: Path, place: Path) -> None:
        """Move a finished folder into place. What stands there already is kept when it is whole, replaced when not."""
        if place.exists():
            try:
                self.open(place.name).verify()
            except StoreError:
                shutil.rmtree(place)
            else:
                return
        try:
            os.rename(folder, place)
        except OSError:
            if not place.exists():  # another process may have been first; anything else is an error
                raise

    def point(self, asset: str, partition: str, digest: str) -> Artefact:
        """Make an existing artefact the current one."""
        artefact = self.open(digest)
        replace_text(self._pointer(asset, partition), json.dumps({"digest": digest}))
        return artefact

    def open(self, digest: str) -> Artefact:
        """The artefact with this digest; StoreError when there is none."""
        folder = self.root / "objects" / digest
        try:
            manifest = Manifest(**json.loads((folder / "manifest.json").read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"no readable artefact {digest[:12]} in {self.root}",
                do="materialize the asset that makes it again",
            ) from error
        return Artefact(manifest, folder)

    def current(self, asset: str, partition: str = WHOLE) -> Artefact:
        """The artefact an asset points at now; StoreError when it was never made."""
        found = self.find(asset, partition)
        if found is None:
            where = asset if partition == WHOLE else f"{asset} of {partition}"
            raise StoreError(f"{where} was never materialized", do=f"materialize {asset} first")
        return found

    def find(self, asset: str, partition: str = WHOLE) -> Artefact | None:
        """The current artefact, or None when the asset was never made.

        Raises:
            StoreError: the pointer or the manifest that it points at cannot be read.
        """
        pointer = self._pointer(asset, partition)
        if not pointer.is_file():
            return None
        try:
            return self.open(json.loads(pointer.read_text())["digest"])
        except (StoreError, ValueError, KeyError, TypeError) as error:
            where = asset if partition == WHOLE else f"{asset} of {partition}"
            said = error.found if isinstance(error, StoreError) else f"{pointer} is damaged"
            raise StoreError(
                f"{where} cannot be opened: {said}", do=f"restore it from a copy, or materialize {asset} again"
            ) from error

    def all(self, asset: str) -> list[Artefact]:
        """Every artefact of an asset that was ever made and can be read, oldest first."""
        found = []
        for path in (self.root / "objects").glob("*/manifest.json"):
            with contextlib.suppress(StoreError):
                found.append(self.open(path.parent.name))
        return sorted((a for a in found if a.asset == asset), key=lambda a: (a.manifest.made_at, a.digest))

    def partitions(self, asset: str) -> list[str]:
        """Partitions of an asset that were made, sorted."""
        return sorted(p.stem for p in (self.root / "current" / asset).glob("*.json"))

    def made(self, key: str) -> Artefact | None:
        """What a work order gave before, verified; None when it was never done or the object is gone or changed."""
        path = self.root / "made" / f"{key}.json"
        if not path.is_file():
            return None
        try:
            artefact = self.open(json.loads(path.read_text())["digest"])
            artefact.verify()
        except (StoreError, ValueError, KeyError, TypeError):
            return None
        return artefact

    def _pointer(self, asset: str, partition: str) -> Path:
        return self.root / "current" / asset / f"{partition}.json"
