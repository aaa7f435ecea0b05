"""Tables in shards: equal to the whole, however they are cut, and named when they are not there."""

from pathlib import Path

import polars as pl
import pytest

from safety_assets.errors import StoreError
from safety_assets.frames import Shards, ShardWriter, in_shards, open_shards, write_shard
from safety_assets.records import TASKS, Table

NUMBERS = Table("numbers", {"n": (pl.Int64, "a number")})


def numbers(*values: int) -> pl.DataFrame:
    return NUMBERS.frame([{"n": value} for value in values])


def written(folder: Path, *pieces: pl.DataFrame, rows: int = 3) -> Shards:
    writer = ShardWriter(folder, "numbers", NUMBERS, rows)
    for piece in pieces:
        writer.add(piece)
    return writer.close()


@pytest.mark.parametrize("sizes", [(7,), (1,) * 7, (2, 0, 5), (3, 3, 1)])
def test_shards_are_full_but_the_last_whatever_pieces_come(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    values = iter(range(7))
    shards = written(tmp_path, *(numbers(*(next(values) for _ in range(size))) for size in sizes))
    assert shards.heights == [3, 3, 1]
    assert shards.height == 7
    assert [part["n"].to_list() for part in shards] == [[0, 1, 2], [3, 4, 5], [6]]
    assert shards.whole()["n"].to_list() == shards.lazy().collect()["n"].to_list() == list(range(7))
    assert shards.head(4)["n"].to_list() == [0, 1, 2, 3]
    assert sorted(p.name for p in (tmp_path / "numbers").iterdir()) == [f"part-0000{i}.parquet" for i in range(3)]


def test_nothing_is_one_empty_shard_and_a_full_one_stays_alone(tmp_path: Path) -> None:
    assert written(tmp_path / "none").heights == [0]
    assert written(tmp_path / "full", numbers(1, 2, 3)).heights == [3]


def test_a_plain_file_and_a_frame_are_one_shard(tmp_path: Path) -> None:
    numbers(1, 2).write_parquet(tmp_path / "numbers.parquet")
    for path in (tmp_path / "numbers", tmp_path / "numbers.parquet"):
        assert open_shards(path, NUMBERS).whole()["n"].to_list() == [1, 2]
    shards = in_shards(numbers(1, 2), NUMBERS)
    assert (len(shards), shards.height, in_shards(shards, NUMBERS)) == (1, 2, shards)


def test_what_is_missing_or_of_another_schema_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"numbers holds no table numbers\. Expected: part-00000\.parquet"):
        open_shards(tmp_path / "numbers", NUMBERS)
    write_shard(tmp_path, "numbers", 0, numbers(1), NUMBERS)
    with pytest.raises(StoreError, match="table tasks has no column task_id"):
        open_shards(tmp_path / "numbers", TASKS).read(0)
    with pytest.raises(StoreError, match="table tasks has no column task_id"):
        write_shard(tmp_path, "tasks", 0, numbers(1), TASKS)
