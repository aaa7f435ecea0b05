"""A file that a command writes: whole, or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file to write, which takes the place of another when all is written."""
    fresh = path.with_name(f".new-{path.name}")
    try:
        fresh.touch()  # the system names what it refuses; Polars does not
        yield fresh
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
