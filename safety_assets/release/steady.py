"""Reading two files that another process replaces one after the other, as both stood at one moment, without a lock."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from safety_assets.errors import StoreError

Found = TypeVar("Found")


def steady(path: Path, read: Callable[[], Found]) -> tuple[bytes | None, Found]:
    """The content of a file, and what is read beside it while that file stayed the same.

    A reader needs no lock and no right to write. It reads again where the file was replaced meanwhile.

    Args:
        path: the file that a writer replaces last, and never with the same content.
        read: reads what the writer replaces before.

    Returns:
        Content of `path` (None where there is none), and the result of `read`.

    Raises:
        StoreError: the file is there and cannot be read.
    """
    content = _content(path)
    while True:
        found = read()
        later = _content(path)
        if later == content:
            return content, found
        content = later


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error})", expected="a file", do="restore it from a copy") from error
