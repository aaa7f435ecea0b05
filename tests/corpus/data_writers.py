"""Chats written in every container and shape that is read."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Chat = list[dict[str, str]]
Row = dict[str, object]


def write_lines(path: Path, rows: Sequence[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_array(path: Path, rows: Sequence[Row]) -> Path:
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def write_separated(path: Path, rows: Sequence[Row]) -> Path:
    """Cells that are no text are written as JSON."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in row.items()})
    path.write_bytes(out.getvalue().encode())
    return path


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
    return path


def write_arrow(path: Path, rows: Sequence[Row]) -> Path:
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(str(path), table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    return path


def write_arrow_file(path: Path, rows: Sequence[Row]) -> Path:
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_file(str(path), table.schema) as out:
        out.write_table(table, max_chunksize=2)
    return path


def save_dataset(path: Path, rows: Sequence[Row]) -> Path:
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset.from_list(list(rows)).save_to_disk(path, num_shards=min(2, len(rows)))
    return path


CONTAINERS: dict[str, Callable[[Path, Sequence[Row]], Path]] = {
    "rows.jsonl": write_lines,
    "rows.ndjson": write_lines,
    "lines.json": write_lines,
    "rows.json": write_array,
    "rows.csv": write_separated,
    "rows.tsv": write_separated,
    "rows.parquet": write_parquet,
    "rows.arrow": write_arrow,
    "file.arrow": write_arrow_file,
    "dataset": save_dataset,
}


def as_messages(chat: Chat) -> Row:
    return {"messages": chat}


def as_sharegpt(chat: Chat) -> Row:
    speaker = {"user": "human", "assistant": "gpt", "system": "system"}
    return {"conversations": [{"from": speaker[m["role"]], "value": m["content"]} for m in chat]}


def exchange(asked: str, answered: str) -> Callable[[Chat], Row]:
    """One question and its answer in two columns, with the system turn in a third."""

    def write(chat: Chat) -> Row:
        system = chat[0]["content"] if chat[0]["role"] == "system" else None
        return {asked: chat[-2]["content"], answered: chat[-1]["content"], "system": system}

    return write


def as_alpaca(chat: Chat) -> Row:
    first, _, rest = chat[-2]["content"].partition("\n\n")
    return {**exchange("instruction", "output")(chat), "instruction": first, "input": rest}


ONE_EXCHANGE: dict[str, Callable[[Chat], Row]] = {
    "alpaca": as_alpaca,
    "prompt/completion": exchange("prompt", "completion"),
    "prompt/response": exchange("prompt", "response"),
    "question/answer": exchange("question", "answer"),
}
SHAPES: dict[str, Callable[[Chat], Row]] = {"messages": as_messages, "sharegpt": as_sharegpt, **ONE_EXCHANGE}
