"""Arrays read in pieces are those that are read whole, and faults are named where they stand."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus import jsonstream
from safety_assets.corpus.jsonstream import array_items, whole_value

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(items=st.lists(VALUES, max_size=6), indent=st.sampled_from([None, 1]), piece=st.integers(1, 40))
def test_items_in_pieces_are_the_items(items: list, indent: int | None, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "PIECE", piece)
        text = json.dumps(items, indent=indent)
        assert list(array_items(io.StringIO(f"\v \n{text}\f"))) == items
        assert whole_value(io.StringIO(text)) == items


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet='[]{},:"\\u0012e.-+ tfn\n', max_size=30) | st.lists(VALUES, max_size=3).map(json.dumps),
    cut=st.integers(0, 30),
)
def test_what_is_refused_whole_is_refused_in_pieces(text: str, cut: int) -> None:
    text = text[: len(text) - cut % 3]
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "PIECE", 2)
        if isinstance(whole, list):
            assert list(array_items(io.StringIO(text))) == whole
        else:
            with pytest.raises(ValueError, match=r"line \d+ column \d+"):
                list(array_items(io.StringIO(text)))


@pytest.mark.parametrize("size", [3, jsonstream.PIECE])
def test_a_fault_is_named_by_line_and_column_and_what_is_before_it_is_given(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonstream, "PIECE", size)
    found = []
    with pytest.raises(ValueError, match="line 3 column 3"):
        found.extend(array_items(io.StringIO('[1,\n"two",\n  x]')))
    assert found == [1, "two"]


def test_a_damaged_beginning_does_not_read_to_the_end() -> None:
    text = io.StringIO('{"a": 1} {' + " " * (4 * jsonstream.PIECE))
    with pytest.raises(ValueError, match="Extra data"):
        whole_value(text)
    assert text.tell() <= 2 * jsonstream.PIECE
