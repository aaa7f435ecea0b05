"""JSON values out of a text that is read in pieces: the items of an array larger than memory, one by one."""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

PIECE = 1 << 20
"""Characters that are read at once; more where one value needs more."""

_TAIL = 64
"""A fault this near to the end of what was read may be gone once more is read."""

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\n\r]*")
_AROUND = re.compile(r"[ \t\n\r\v\f]*")
"""What may stand before and behind the JSON of a file."""


def array_items(handle: TextIO) -> Iterator[Any]:
    """The items of the one array that a text is.

    Raises:
        ValueError, RecursionError: the text is no JSON array; where, in words. Items before the fault are given.
    """
    text = _Window(handle)
    text.peek(_AROUND)
    text.take("[")
    mark = "" if text.peek() != "]" else text.take("]")
    while mark != "]":
        yield text.value()
        mark = text.take(",]")
    text.end()


def whole_value(handle: TextIO) -> Any:
    """The one value that a text is; ValueError or RecursionError when it is none, as early as that shows."""
    text = _Window(handle)
    text.peek(_AROUND)
    value = text.value()
    text.end()
    return value


class _Window:
    """The part of a text that is being decoded."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._text, self._at = "", 0
        self._lines, self._column = 0, 0  # before the window

    def peek(self, blank: re.Pattern[str] = _BLANK) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            passed = blank.match(self._text, self._at)
            self._at = passed.end() if passed else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, marks: str) -> str:
        """The next mark, which must be one of these."""
        found = self.peek()
        if not found or found not in marks:
            raise self._fault(f"Expecting {' or '.join(map(repr, marks))}", self._at)
        self._at += 1
        return found

    def value(self) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._may_go_on(error) or not self._more():
                    raise self._fault(error.msg, error.pos) from error
                continue
            if len(self._text) - end < _TAIL and self._more():
                continue  # a number may go on
            self._at = end
            return value

    def end(self) -> None:
        """ValueError when anything but blanks follows."""
        if self.peek(_AROUND):
            raise self._fault("Extra data", self._at)

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _TAIL

    def _more(self) -> bool:
        """Read on, as much as is waiting already or more; False at the end."""
        piece = self._handle.read(max(PIECE, len(self._text) - self._at))
        if not piece:
            return False
        self._lines, self._column = self._place(self._at)
        self._text, self._at = self._text[self._at :] + piece, 0
        return True

    def _place(self, at: int) -> tuple[int, int]:
        """Lines before a place in the window, and characters before it on its line."""
        lines = self._text.count("\n", 0, at)
        column = at - self._text.rfind("\n", 0, at) - 1 if lines else self._column + at
        return self._lines + lines, column

    def _fault(self, what: str, at: int) -> ValueError:
        lines, column = self._place(at)
        return ValueError(f"{what}: line {lines + 1} column {column + 1}")
