import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.ingest import Ingested, read_rows
from safety_assets.datafiles import DataFiles
from safety_assets.errors import CorpusError
from safety_assets.records import QUARANTINE, ROWS

GOOD = {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "It is here."}]}


def good(question: str) -> bytes:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": "It is here."}]
    return json.dumps({"messages": messages}).encode()


def turns(*roles: str) -> bytes:
    return json.dumps({"messages": [{"role": r, "content": "text"} for r in roles]}).encode()


def answered(answer: str, **keys: object) -> bytes:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": answer, **keys}]
    return json.dumps({"messages": messages}).encode()


BAD = {
    b'{"messages": [': "not JSON at character 15",
    b"[1, 2]": "the line is a list",
    b"7": "the line is a number",
    b'{"text": "\xff"}': "not UTF-8",
    b'{"prompt": "hi"}': "the columns 'prompt' fit no known shape",
    b'{"prompt": "a", "completion": "b", "response": "c"}': "fit several shapes: prompt/completion, prompt/response",
    b'{"instruction": "a", "input": 3, "output": "b"}': "input is a number",
    b'{"question": "a", "answer": null}': "answer is null",
    b'{"conversations": [{"from": "tool", "value": "a"}]}': "role 'tool'",
    b'{"conversations": [{"from": ["x"], "value": "a"}]}': "role ['x']",
    b'{"conversations": {"from": ["human"], "value": []}}': "lists of unequal length",
    b'{"messages": "[{"}': "text that is not JSON",
    b'{"messages": "hi"}': "messages is text",
    b'{"messages": []}': "messages is an empty list",
    b'{"messages": ["hi"]}': "message 1 is text",
    b'{"messages": [{"role": "user", "content": 3}]}': "content of message 1 is a number",
    b'{"messages": [{"role": "user", "content": null}]}': "content of message 1 is null",
    turns("bot", "assistant"): "role 'bot'",
    turns("assistant", "user"): "message 1 is a assistant turn",
    turns("user", "system", "assistant"): "message 2 is a system turn",
    turns("user", "user", "assistant"): "message 2 is a user turn",
    turns("user"): "the last message is a user turn",
    turns("system"): "the last message is a system turn",
    answered(" "): "message 2 is an empty answer",
    answered("a\0b"): "NUL character",
    answered("\ud800"): "half of a surrogate",
    answered("c", name="x"): "the key 'name', which would be lost",
    b'{"a": "\x00"}': "NUL byte",
    b"[" * 100_000: "not JSON",
    good("a")[:-1] + b', "group": []}': "group is a list",
}


@pytest.mark.parametrize(("line", "reason"), BAD.items(), ids=list(BAD.values()))
def test_every_fault_is_quarantined_with_reason_and_remedy(given: Callable, line: bytes, reason: str) -> None:
    found = read_rows([given("a.jsonl", GOOD, line + b"\n", GOOD)])
    assert found.rows.height == 2
    quarantined = found.quarantine.row(0, named=True)
    assert (quarantined["source"], quarantined["line"]) == ("a.jsonl", 2)
    assert reason in quarantined["reason"]
    assert "Expected: " in quarantined["reason"]
    assert "Do: " in quarantined["reason"]


def test_ids_are_content_hashes_and_copies_are_numbered(given: Callable) -> None:
    found = read_rows([given("a.jsonl", GOOD, GOOD, {**GOOD, "other": 1}, good("Else?") + b"\n")])
    first = found.rows["row_id"][0]
    assert len(first) == 16
    assert found.rows["row_id"].to_list()[:3] == [first, f"{first}-1", f"{first}-2"]
    assert found.rows["row_id"].n_unique() == 4


def test_groups_are_given_or_the_first_user_turn(given: Callable) -> None:
    lines = [{**GOOD, "group": "g"}, {**GOOD, "conversation_id": 7}, GOOD, good("where IS it") + b"\n", good("Else?")]
    groups = read_rows([given("a.jsonl", *lines)]).rows["group"].to_list()
    assert groups[:2] == ["g", "7"]
    assert groups[2] == groups[3] != groups[4]


def test_folders_are_read_in_order_and_no_file_twice(write_jsonl: Callable, tmp_path: Path) -> None:
    write_jsonl("in/b.jsonl", GOOD)
    write_jsonl("in/deep/a.jsonl", GOOD)
    write_jsonl("in/a.jsonl", GOOD)
    write_jsonl("in/a.txt", b"no rows")
    found = read_rows([DataFiles(path=tmp_path / "in"), DataFiles(path=tmp_path / "in" / "b.jsonl")])
    assert found.rows["source"].to_list() == ["a.jsonl", "b.jsonl", "deep/a.jsonl"]


def test_byte_order_mark_line_ends_and_blank_lines_are_no_fault(given: Callable) -> None:
    found = read_rows([given("a.jsonl", b"\xef\xbb\xbf" + good("a") + b"\r\n\r\n  \n" + good("b"))])
    assert found.rows["line"].to_list() == [1, 4]
    assert found.quarantine.is_empty()


def test_nothing_readable_is_an_error_that_names_the_first_line(given: Callable, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none of 1 records .*a\.jsonl:1: the line is not JSON"):
        read_rows([given("a.jsonl", b"{")])
    with pytest.raises(CorpusError, match="holds no row"):
        read_rows([given("empty.jsonl")])
    with pytest.raises(CorpusError, match=r"nowhere does not exist.*Do: "):
        read_rows([DataFiles(path=tmp_path / "nowhere")])


def test_an_excerpt_shows_no_personal_data(given: Callable) -> None:
    line = b'{"text": "mail ann.lee@bank.example or call +44 20 7946 0958, id 8812, bo@localhost"}\n'
    excerpt = read_rows([given("a.jsonl", GOOD, line)]).quarantine["excerpt"][0]
    assert "ann" not in excerpt
    assert "bo@" not in excerpt
    assert not any(c.isdigit() for c in excerpt)
    assert excerpt.startswith('{"text": "mail [EMAIL] or call [PHONE], id ####')
    assert len(excerpt) <= 80


def attempt(path: Path) -> tuple[str, Ingested | None]:
    try:
        return "", read_rows([DataFiles(path=path)])
    except CorpusError as error:
        return str(error), None


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_line_is_lost_however_the_bytes_are_mutated(data: st.DataObject) -> None:
    content = bytearray(b"\n".join(good(q) for q in ("a", "b", "c", "é")) + b"\n")
    for _ in range(data.draw(st.integers(0, 12))):
        at = data.draw(st.integers(0, len(content)))
        piece = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b"\r", b"\0", b'"', b"\\ud800", b"}", b""]))
        )
        content[at : at + data.draw(st.integers(0, 4))] = piece
    raw = bytes(content).removeprefix(b"\xef\xbb\xbf")
    lines = [n for n, line in enumerate(raw.split(b"\n"), 1) if line.strip(b" \t\r\v\f")]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(content)
        error, found = attempt(path)
    if found is None:
        assert f"none of {len(lines)} records" in error or (not lines and "holds no row" in error)
        return
    assert sorted(found.rows["line"].to_list() + found.quarantine["line"].to_list()) == lines
    assert found.rows["row_id"].n_unique() == found.rows.height
    ROWS.check(found.rows)
    QUARANTINE.check(found.quarantine)
