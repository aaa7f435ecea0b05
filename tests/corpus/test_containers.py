"""Every container and shape: what is written comes back, and what is damaged is named or set aside, never lost."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import data_writers as to
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from safety_assets.corpus.containers import open_container
from safety_assets.corpus.given import read_as
from safety_assets.corpus.ingest import Ingested, read_rows
from safety_assets.corpus.separated import read_separated
from safety_assets.datafiles import Columns, DataFiles
from safety_assets.errors import CorpusError


def chat(*turns: str, system: str | None = None) -> list[dict[str, str]]:
    head = [{"role": "system", "content": system}] if system else []
    return head + [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(turns)]


SINGLE = [
    chat("Where is it?", "Here."),
    chat('Übersetze:\n\n„Ja, gern“, sagt sie; "oui"\tund 42', "a,b\r\nc", system="Be brief."),
    chat("12", "0.5"),
]
LONGER = [*SINGLE, chat("One?", "1", "Two?", "2"), chat("One?", "1", "Two?", "2", system="Count.")]


def read(path: Path, columns: Columns | None = None) -> Ingested:
    return read_rows([DataFiles(path=path, columns=columns)])


@pytest.mark.parametrize("shape", to.SHAPES)
@pytest.mark.parametrize("container", to.CONTAINERS)
def test_what_is_written_comes_back(tmp_path: Path, container: str, shape: str) -> None:
    chats = SINGLE if shape in to.ONE_EXCHANGE else LONGER
    rows = [to.SHAPES[shape](c) for c in chats]
    found = read(to.CONTAINERS[container](tmp_path / container, rows))
    assert found.rows["messages"].to_list() == chats
    assert found.quarantine.is_empty()
    assert found.sources["shape"].unique().to_list() == [shape]
    assert found.sources["rows"].sum() == len(chats)


@pytest.mark.parametrize("container", ["rows.csv", "rows.json", "rows.parquet", "rows.arrow"])
def test_every_record_keeps_its_place(tmp_path: Path, container: str) -> None:
    rows = [to.as_messages(c) for c in LONGER]
    rows[1] = {"messages": [{"role": "user", "content": "no answer\nhere"}]}
    found = read(to.CONTAINERS[container](tmp_path / container, rows))
    lines = range(2, 7) if container.endswith("csv") else range(1, 6)
    assert found.quarantine["line"].to_list() == [lines[1]]
    assert found.rows["line"].to_list() == [line for line in lines if line != lines[1]]
    assert "ends with a assistant turn" in found.quarantine["reason"][0]
    assert "no answer" in found.quarantine["excerpt"][0]


def test_a_folder_of_everything_is_read_in_order(tmp_path: Path) -> None:
    for name, write in to.CONTAINERS.items():
        write(tmp_path / name, [to.as_messages(chat(f"Who wrote {name}?", "We did."))])
    for beside in ("README.md", ".hidden.jsonl", "dataset/cache-1.arrow"):
        (tmp_path / beside).write_text("no rows")
    found = read(tmp_path)
    assert found.rows.height == len(to.CONTAINERS)
    assert found.sources["source"].to_list() == sorted(
        [*(name for name in to.CONTAINERS if name != "dataset"), "dataset/data-00000-of-00001.arrow"]
    )


def test_a_dataset_with_splits_is_read_whole(tmp_path: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    parts = {name: datasets.Dataset.from_list([to.as_sharegpt(c)]) for name, c in zip(("a", "b"), LONGER, strict=False)}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "both")
    assert read(tmp_path / "both").rows["source"].to_list() == [f"{n}/data-00000-of-00001.arrow" for n in "ab"]
    assert read(tmp_path / "both" / "b").rows["messages"].to_list() == [LONGER[1]]
    (tmp_path / "both" / "a" / "data-00000-of-00001.arrow").unlink()
    with pytest.raises(CorpusError, match=r"data-00000-of-00001\.arrow is missing, and state\.json names it.*Do: "):
        read(tmp_path / "both")
    (tmp_path / "both" / "a" / "state.json").unlink()
    with pytest.raises(CorpusError, match="lacks its split a"):
        read(tmp_path / "both")


def test_only_the_rows_that_were_selected_are_read(tmp_path: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    whole = datasets.Dataset.from_list([to.as_messages(c) for c in LONGER])
    whole.select([3, 1]).save_to_disk(tmp_path / "some")
    assert read(tmp_path / "some").rows["messages"].to_list() == [LONGER[3], LONGER[1]]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b'[{"messages": []}', r"a\.json is not JSON: .*line 1 column"),
        ("a.json", b'["\xff"]', r"a\.json is not JSON: .*utf-8"),
        ("a.json", b'{"data": [{"prompt": "a", "completion": "b"}]}', "columns 'data' fit no known shape"),
        ("a.csv", b"prompt,prompt\na,b\n", "has the column 'prompt' twice"),
        ("a.csv", b"pr\xff,completion\na,b\n", r"header of .*a\.csv cannot be read"),
        ("a.csv", "prompt,completion\na,b\n".encode("utf-16"), r"header of .*a\.csv cannot be read: .*not UTF-8"),
        ("a.csv", b"prompt;completion\na;b\n", "columns 'prompt;completion' fit no known shape"),
        ("a.csv", b"goal,target\na,b\n", r"a\.csv: the columns 'goal', 'target' fit no known shape.*Do: name them"),
        ("a.csv", b"prompt,completion,question,answer\n,,,\n", "fit several shapes: prompt/completion, question/ans"),
        ("a.csv", b"", "holds no row"),
        ("a.parquet", b"PAR1 and no more", r"a\.parquet cannot be read as Parquet.*Expected: a whole Parquet file"),
        ("a.arrow", b"", r"a\.arrow cannot be read as Arrow"),
        ("a.xlsx", b"PK", r"a\.xlsx ends with \.xlsx.*Expected: \*\.jsonl"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_as_a_whole_is_named(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=says) as caught:
        read(tmp_path / name)
    assert "Expected: " in str(caught.value)
    assert "Do: " in str(caught.value)


def test_what_is_packed_is_not_passed_over(tmp_path: Path) -> None:
    to.write_lines(tmp_path / "a.jsonl", [to.as_messages(SINGLE[0])])
    (tmp_path / "b.jsonl.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(CorpusError, match=r"b\.jsonl\.gz is packed"):
        read(tmp_path)


def test_a_cut_stream_is_no_whole_file(tmp_path: Path) -> None:
    path = to.write_arrow(tmp_path / "a.arrow", [to.as_messages(c) for c in LONGER])
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(CorpusError, match="ends before its end mark"):
        read(path)
    path.write_bytes(content + content)
    with pytest.raises(CorpusError, match="goes on behind its end mark"):
        read(path)


def test_times_that_python_does_not_know_are_no_fault(tmp_path: Path) -> None:
    times = {"day": pa.array([2**30], pa.date32()), "at": pa.array([1], pa.timestamp("ns"))}
    pq.write_table(pa.table({"prompt": ["a"], "completion": ["b"], **times}), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.rows["messages"].to_list() == [chat("a", "b")]
    assert found.sources["not_read"].to_list() == [["at", "day"]]


def test_columns_that_no_table_can_name_are_no_fault(tmp_path: Path) -> None:
    row = {"prompt": "a", "completion": "b", "\ud800": 1, **{f"extra{n}": n for n in range(9)}}
    found = read(to.write_lines(tmp_path / "a.jsonl", [row, {"prompt": "\ud800", "completion": "b"}]))
    assert found.rows.height == found.quarantine.height == 1
    (source,) = found.sources.to_dicts()
    assert read_as(source).startswith("a.jsonl: prompt/completion, 1 row, 1 set aside; not read: ?, extra0, ")
    assert read_as(source).endswith("extra6 and 2 more")


def test_a_quote_without_its_pair_hides_no_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('prompt,completion\na,b\n"c,d\n\ne,f\n"g,h"",i\nj,k\nl,"m\nn,o\n')
    found = read(path)
    assert found.rows["line"].to_list() == [2, 7]
    assert found.quarantine["line"].to_list() == [3, 5, 6, 8, 9]
    assert "lines 3 to 6 cannot be parsed" in found.quarantine["reason"][0]
    assert "lines 8 to 9 cannot be parsed: unexpected end of data" in found.quarantine["reason"][4]


def test_a_row_with_a_cell_too_many_or_few_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"prompt,completion\na,b,c\na\nx\xff,b\na,b\n")
    found = read(path)
    assert found.rows["line"].to_list() == [5]
    reasons = found.quarantine["reason"].to_list()
    assert "has 3 cells, the header names 2" in reasons[0]
    assert "has 1 cells, the header names 2" in reasons[1]
    assert "not UTF-8" in reasons[2]


def test_columns_are_read_under_the_names_the_project_gives(tmp_path: Path) -> None:
    rows = [{"instruction": "Sum up.", "context": "A. B.", "response": "AB.", "category": "x", "thread": 7}]
    path = to.write_lines(tmp_path / "a.jsonl", rows)
    columns = Columns(instruction="instruction", input="context", output="response", group="thread")
    found = read(path, columns)
    assert found.rows["messages"].to_list() == [chat("Sum up.\n\nA. B.", "AB.")]
    assert found.rows["group"].to_list() == ["7"]
    assert found.sources.to_dicts() == [
        {"source": "a.jsonl", "shape": "alpaca", "rows": 1, "quarantined": 0, "not_read": []}
    ]
    with pytest.raises(CorpusError, match="there is no column 'q'.*Do: correct columns in project.yaml"):
        read(path, Columns(prompt="q", completion="response"))


def test_named_columns_settle_what_is_ambiguous(tmp_path: Path) -> None:
    row = {"messages": chat("a", "b"), "prompt": "c", "completion": "d"}
    path = to.write_parquet(tmp_path / "a.parquet", [row])
    with pytest.raises(CorpusError, match="fit several shapes: messages, prompt/completion"):
        read(path)
    found = read(path, Columns(prompt="prompt", completion="completion"))
    assert found.rows["messages"].to_list() == [chat("c", "d")]
    assert found.sources["not_read"].to_list() == [[]]


def test_other_ways_to_write_turns(tmp_path: Path) -> None:
    rows = [
        {"prompt": chat("a"), "completion": [{"role": "assistant", "content": "b"}]},
        {"conversations": {"from": ["human", "gpt"], "value": ["a", "b"]}},
        {"conversations": chat("a", "b")},
        {"messages": json.dumps(chat("a", "b"))},
        {"messages": chat("a", "b", system="s"), "system": "s"},
        {"messages": chat("a", "b", system="s"), "system": "t"},
    ]
    found = read(to.write_lines(tmp_path / "a.jsonl", rows))
    assert [c[-2:] for c in found.rows["messages"].to_list()] == [chat("a", "b")] * 5
    assert found.quarantine["line"].to_list() == [6]
    assert "message 2 is a system turn" in found.quarantine["reason"][0]


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
).filter(str.strip)  # fmt: skip


@settings(max_examples=50, deadline=None)
@examples(
    container=st.sampled_from([name for name in to.CONTAINERS if name != "dataset"]),
    shape=st.sampled_from(list(to.SHAPES)),
    turns=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4),
)
def test_any_text_comes_back(container: str, shape: str, turns: list[tuple[str, str]]) -> None:
    chats = [chat(*turn) for turn in turns]
    if shape == "alpaca":
        chats = [c for c in chats if all(part.strip() for part in c[0]["content"].split("\n\n", 1))]
    if not chats:
        return
    with TemporaryDirectory() as folder:
        path = to.CONTAINERS[container](Path(folder) / container, [to.SHAPES[shape](c) for c in chats])
        assert read(path).rows["messages"].to_list() == chats


def mutated(data: st.DataObject, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(changed)))
        piece = data.draw(st.one_of(st.binary(max_size=2), st.sampled_from([b'"', b"\n", b",", b"]", b""])))
        changed[at : at + data.draw(st.integers(0, 6))] = piece
    return bytes(changed)


@settings(max_examples=80, deadline=None)
@examples(data=st.data())
def test_no_text_of_a_mutated_csv_is_lost(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = to.write_separated(Path(folder) / "a.csv", [to.exchange("prompt", "completion")(c) for c in SINGLE])
        header, _, body = path.read_bytes().partition(b"\n")
        content = mutated(data, body).replace(b"\0", b"")
        path.write_bytes(header + b"\n" + content)
        entries = list(read_separated(path))
    text = content.decode("utf-8", errors="surrogateescape")
    lines = [line for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text) if line.strip("\r\n")]
    seen = "".join(str(entry.seen) for entry in entries)
    assert re.sub(r"[\r\n]", "", seen) == re.sub(r"[\r\n]", "", "".join(lines))


@settings(max_examples=80, deadline=None)
@examples(data=st.data(), name=st.sampled_from(["rows.parquet", "rows.arrow", "file.arrow", "rows.json"]))
def test_a_mutated_file_gives_all_its_records_or_an_error(data: st.DataObject, name: str) -> None:
    with TemporaryDirectory() as folder:
        path = to.CONTAINERS[name](Path(folder) / name, [to.as_messages(c) for c in LONGER])
        path.write_bytes(mutated(data, path.read_bytes()))
        try:
            found = read(path)
        except CorpusError:
            return
        given = sum(1 for _ in open_container(path).entries)
    assert found.rows.height + found.quarantine.height == given
    if name != "rows.json":
        assert given == len(LONGER)
    assert found.sources["rows"].sum() == found.rows.height
    assert found.sources["quarantined"].sum() == found.quarantine.height
