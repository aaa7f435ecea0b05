"""Numbers that are too many for memory: appended to a temporary file in blocks, read back by position."""

import os
import tempfile
import weakref
from collections.abc import Iterator

import numpy as np

_BLOCK_ROWS = 1 << 16


class Spool:
    """Rows of numbers of one type and width in an unnamed temporary file, gone with the object.

    Args:
        dtype: type of the numbers.
        width: numbers in a row.
    """

    def __init__(self, dtype: type[np.generic], width: int = 1) -> None:
        self._dtype, self._width, self._rows = np.dtype(dtype), width, 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed when the spool is gone
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._rows

    def append(self, block: np.ndarray) -> None:
        """Add rows: (rows, width), or (rows,) where the width is 1."""
        self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(block, dtype=self._dtype).data)
        self._rows += len(block)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Position of the first row and (rows, width) of one block after the other; only one is in memory."""
        self._file.seek(0)
        for first in range(0, self._rows, _BLOCK_ROWS):
            rows = min(_BLOCK_ROWS, self._rows - first)
            read = self._file.read(rows * self._width * self._dtype.itemsize)
            yield first, np.frombuffer(read, dtype=self._dtype).reshape(rows, self._width)

    def mapped(self) -> np.ndarray:
        """All rows (rows, width), read from the file where they are looked at."""
        if not self._rows:
            return np.empty((0, self._width), dtype=self._dtype)
        self._file.flush()
        return np.memmap(self._file, dtype=self._dtype, mode="r", shape=(self._rows, self._width))

    def ranges(self, begins: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Rows `begins[i]` to `begins[i] + counts[i]` of every i, one range after the other (rows, width)."""
        self._file.flush()
        size, handle = self._width * self._dtype.itemsize, self._file.fileno()
        offsets, lengths = (begins * size).tolist(), (counts * size).tolist()
        read = b"".join(os.pread(handle, length, at) for at, length in zip(offsets, lengths, strict=True))
        return np.frombuffer(read, dtype=self._dtype).reshape(-1, self._width)
