"""Tables on disk in shards of 25,000 rows: read whole, lazily or shard by shard, so that no corpus must fit in memory.

A sharded table `rows` is the folder `rows/` with `part-00000.parquet`, `part-00001.parquet`, ...; a small one has one
part. A plain `rows.parquet` is read the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from safety_assets.errors import StoreError
from safety_assets.records import Table

SHARD_ROWS = 25_000


@dataclass(frozen=True)
class Shards:
    """A table in parts.

    Args:
        table: its schema; every part is checked against it when it is read.
        parts: Parquet files or frames, in order; at least one.
    """

    table: Table
    parts: tuple[Path | pl.DataFrame, ...]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """The parts, one at a time."""
        return (self.read(number) for number in range(len(self.parts)))

    def read(self, number: int) -> pl.DataFrame:
        """One part, checked."""
        part = self.parts[number]
        return self.table.check(pl.read_parquet(part) if isinstance(part, Path) else part)

    def lazy_parts(self) -> list[pl.LazyFrame]:
        """Each part as a lazy frame, of which only what is selected is read."""
        return [pl.scan_parquet(part) if isinstance(part, Path) else part.lazy() for part in self.parts]

    def lazy(self) -> pl.LazyFrame:
        """All parts as one lazy frame, in order."""
        return pl.concat(self.lazy_parts())

    def whole(self) -> pl.DataFrame:
        """All parts in memory."""
        return pl.concat(list(self), rechunk=False)

    def head(self, rows: int) -> pl.DataFrame:
        """The first rows."""
        return self.lazy().head(rows).collect()

    @property
    def heights(self) -> list[int]:
        """Rows of each part, without reading them."""
        return [part.select(pl.len()).collect().item() for part in self.lazy_parts()]

    @property
    def height(self) -> int:
        """Rows of all parts."""
        return sum(self.heights)


def in_shards(frame: pl.DataFrame | Shards, table: Table) -> Shards:
    """A frame as one shard; shards as they are."""
    return frame if isinstance(frame, Shards) else Shards(table, (table.check(frame),))


def open_shards(path: Path, table: Table) -> Shards:
    """A table on disk: the folder of its shards, or one Parquet file (`path` or `path.parquet`).

    Raises:
        StoreError: there is neither.
    """
    if path.is_dir():
        parts = sorted(path.glob("part-*.parquet"))
    else:
        parts = [file for file in (path, path.with_name(f"{path.name}.parquet")) if file.is_file()][:1]
    if not parts:
        raise StoreError(f"{path} holds no table {table.name}", expected="part-00000.parquet and so on")
    return Shards(table, tuple(parts))


def write_shard(folder: Path, name: str, number: int, frame: pl.DataFrame, table: Table) -> Path:
    """Write one shard of a table after checking its schema; the file."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"part-{number:05d}.parquet"
    table.check(frame).write_parquet(file, compression="zstd", statistics=True)
    return file


class ShardWriter:
    """Takes frames of any height and writes shards of equal height, the last one shorter; never none.

    Args:
        folder: where the folder `name` of shards will be.
        rows: rows of a shard.
    """

    def __init__(self, folder: Path, name: str, table: Table, rows: int = SHARD_ROWS) -> None:
        self._folder, self._name, self._table, self._rows = folder, name, table, rows
        self._waiting = table.empty()
        self._written = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Some more rows."""
        self._waiting = pl.concat([self._waiting, self._table.check(frame)])
        while self._waiting.height >= self._rows:
            self._write(self._waiting.head(self._rows))
            self._waiting = self._waiting.slice(self._rows)

    def close(self) -> Shards:
        """Write what waits; the shards."""
        if self._waiting.height or not self._written:
            self._write(self._waiting)
            self._waiting = self._table.empty()
        return open_shards(self._folder / self._name, self._table)

    def _write(self, frame: pl.DataFrame) -> None:
        write_shard(self._folder, self._name, self._written, frame, self._table)
        self._written += 1
