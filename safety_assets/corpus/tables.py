"""Tables: Parquet, and Arrow as the datasets library saves it. They are read batch by batch and checked for damage."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from safety_assets.corpus.entries import Entry
from safety_assets.errors import CorpusError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1024
_END_OF_STREAM = b"\0\0\0\0"


def parquet_columns(file: Path) -> tuple[str, ...]:
    """Column names of a Parquet file; CorpusError when it is none."""
    import pyarrow.parquet as pq

    with _whole(file, "Parquet"), pq.ParquetFile(file) as table:
        return tuple(table.schema_arrow.names)


def read_parquet(file: Path) -> Iterator[Entry]:
    """Every row; CorpusError when a part of the file is damaged."""
    import pyarrow.parquet as pq

    with _whole(file, "Parquet"), pq.ParquetFile(file) as table:
        count = 0
        for batch in table.iter_batches(batch_size=BATCH_ROWS):
            yield from _rows(batch, count)
            count += batch.num_rows
        if count != table.metadata.num_rows:
            raise ValueError(f"it holds {count} rows and its footer says {table.metadata.num_rows}")


def arrow_columns(file: Path) -> tuple[str, ...]:
    """Column names of an Arrow file or stream; CorpusError when it is neither."""
    with _whole(file, "Arrow"), _batches(file) as (schema, _):
        return tuple(schema.names)


def read_arrow(file: Path) -> Iterator[Entry]:
    """Every row; CorpusError when a part of the file is damaged or missing."""
    with _whole(file, "Arrow"), _batches(file) as (_, batches):
        count = 0
        for batch in batches:
            yield from _rows(batch, count)
            count += batch.num_rows


@contextlib.contextmanager
def _batches(file: Path) -> "Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]":
    import pyarrow as pa

    with pa.OSFile(str(file)) as source:
        if source.read(6) == b"ARROW1":
            reader = pa.ipc.open_file(source)
            yield reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
            return
        source.seek(max(0, source.size() - len(_END_OF_STREAM)))
        if source.read() != _END_OF_STREAM:
            raise ValueError("it ends before its end mark")
        source.seek(0)
        stream = pa.ipc.open_stream(source)
        yield stream.schema, _to_the_end(stream, source)


def _to_the_end(stream: "pa.RecordBatchStreamReader", source: "pa.NativeFile") -> "Iterator[pa.RecordBatch]":
    yield from stream
    if source.tell() != source.size():
        raise ValueError("it goes on behind its end mark")


def _rows(batch: "pa.RecordBatch", before: int) -> Iterator[Entry]:
    """Rows of a batch. Times are left null: they hold no chat, and not every one is a time that Python knows."""
    import pyarrow as pa

    batch.validate(full=True)
    null = pa.nulls(batch.num_rows)
    columns = [null if pa.types.is_temporal(column.type) else column for column in batch.columns]
    timeless = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    for number, row in enumerate(timeless.to_pylist(), before + 1):
        yield Entry(number, row, row)


@contextlib.contextmanager
def _whole(file: Path, container: str) -> Iterator[None]:
    """What goes wrong while a file is read, as a CorpusError about the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CorpusError(
            f"{file} cannot be read as {container}: {first:.200}", expected=f"a whole {container} file",
            do="copy or export the file again",
        ) from error  # fmt: skip
