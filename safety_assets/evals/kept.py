"""Answers and verdicts that were given before, by digest of all that decided them. One SQLite file in WAL mode.

Several processes may share the file, on one machine: the lock of a network drive is not enough. What was kept
survives a kill: each `keep` is one transaction. The first value under a key stays, so that everyone who asks gets the
same. The digest holds all that decides a value; where two things differ in any of it, they never meet here.
"""

import contextlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from safety_assets.errors import StoreError

Kind = Literal["answers", "verdicts", "prompts"]

WAIT_SECONDS = 60.0
"""How long one process waits for another that writes."""
LARGEST_ERA = 2**31 - 1
AT_ONCE = 500
"""Keys in one question: SQLite allows some hundreds of variables everywhere."""


class Kept:
    """Values of one kind in a file; JSON values under hexadecimal digests.

    Args:
        path: of the file; it and its folder are made when absent.
        kind: answers, verdicts or rendered prompts; they never mix.

    Raises:
        StoreError: the file is damaged, or no such file.
    """

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self.kind = path, kind
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as base:
            base.execute(f"CREATE TABLE IF NOT EXISTS {kind} (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")

    def find(self, keys: Sequence[str]) -> dict[str, Any]:
        """Key to value, of those keys that are known."""
        found: dict[str, Any] = {}
        with self._open() as base:
            for start in range(0, len(keys), AT_ONCE):
                part = keys[start : start + AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = base.execute(f"SELECT key, value FROM {self.kind} WHERE key IN ({marks})", part)
                found.update((key, json.loads(value)) for key, value in rows)
        return found

    def keep(self, values: Mapping[str, Any], *, again: bool = False) -> dict[str, Any]:
        """Keep values, all of them or none, and return what stands under their keys now.

        Args:
            again: what stands there already is replaced; else it stays and is returned.
        """
        word = "REPLACE" if again else "IGNORE"
        with self._open() as base:
            base.executemany(
                f"INSERT OR {word} INTO {self.kind} VALUES (?, ?)",
                [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()],
            )
            if again:
                _new_era(base)
        return self.find(list(values))

    def era(self) -> int:
        """A number drawn at random with the file, and again whenever something that stood there was replaced."""
        with self._open() as base:
            return _era(base) or _new_era(base)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose one transaction is committed when nothing went wrong."""
        try:
            with contextlib.closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS)) as base:
                base.execute("PRAGMA journal_mode=WAL")
                base.execute("PRAGMA synchronous=NORMAL")
                with base:
                    yield base
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path} cannot be used: {error}",
                expected="a file of kept answers on a local disk with room",
                do="look at its rights and its disk, or move it away: what it held is asked again",
            ) from error


def _era(base: sqlite3.Connection) -> int:
    (number,) = base.execute("PRAGMA user_version").fetchone()
    return int(number)


def _new_era(base: sqlite3.Connection) -> int:
    """SQLite keeps one number of its users in the head of the file; it changes with the transaction or not at all."""
    base.execute(f"PRAGMA user_version={1 + secrets.randbelow(LARGEST_ERA)}")
    return _era(base)
