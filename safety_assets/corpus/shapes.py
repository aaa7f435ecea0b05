"""Shapes: which columns hold the chat, and the chat of a record in the one schema.

An Alpaca instruction and its input become one user turn with an empty line between them. Turns may be text in JSON,
which is how a CSV cell holds them, or one list per key, which is how some tables hold them. A prompt and its
completion may be lists of turns.
"""

import json
from collections.abc import Iterable, Mapping

from safety_assets.corpus.chats import text_field
from safety_assets.corpus.jsonfiles import kind
from safety_assets.datafiles import KNOWN_SHAPES, SHAPES, Columns, Shape
from safety_assets.errors import CorpusError

_SPEAKERS = {"human": "user", "gpt": "assistant"}
_TURN_KEYS = {"from": "role", "value": "content"}


def shape_of(found: Iterable[str], columns: Columns | None) -> Shape:
    """The shape of a record or table with these columns.

    Args:
        columns: names given in the project; then they alone count.

    Raises:
        CorpusError: no shape fits, more than one does, or a column that the project names is not there.
    """
    present = set(found)
    listed = ", ".join(map(repr, list(found)[:8])) or "none"
    if columns is not None:
        missing = [columns.named[name] for name in columns.shape.needs if columns.named[name] not in present]
        if missing:
            raise CorpusError(
                f"there is no column {missing[0]!r} (columns: {listed:.200})",
                expected="the columns that project.yaml names", do="correct columns in project.yaml",
            )  # fmt: skip
        return columns.shape
    fitting = [shape for shape in SHAPES if set(shape.needs) <= present]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(shape.name for shape in fitting)
    raise CorpusError(
        f"the columns {listed:.200} fit {f'several shapes: {names}' if fitting else 'no known shape'}",
        expected=f"the columns of one shape ({KNOWN_SHAPES})",
        do="name them in project.yaml, as in columns: {prompt: question_text, completion: reply}",
    )


def in_schema(value: Mapping[str, object], shape: Shape, columns: Columns | None) -> dict[str, object]:
    """A record with its chat under `messages`; columns that are not of its shape stay as they are.

    Raises:
        CorpusError: a column of the shape does not hold what it should.
    """
    if columns is not None:
        value = _renamed(value, columns.named)
    others = {key: part for key, part in value.items() if key not in (*shape.needs, *shape.may)}
    return {**others, "messages": _with_system(_messages(value, shape), value.get("system"))}


def _messages(value: Mapping[str, object], shape: Shape) -> object:
    match shape.name:
        case "messages":
            return _turns(value["messages"])
        case "sharegpt":
            turns = _turns(value["conversations"])
            return [_openai_turn(turn) for turn in turns] if isinstance(turns, list) else turns
        case "alpaca":
            asked = text_field(value, "instruction")
            more = _optional_text(value, "input")
            return _exchange(f"{asked}\n\n{more}" if more else asked, text_field(value, "output"))
        case _:
            before, after = (value[column] for column in shape.needs)
            if isinstance(before, list) and isinstance(after, list):
                return before + after
            return _exchange(*(text_field(value, column) for column in shape.needs))


def _renamed(value: Mapping[str, object], named: Mapping[str, str]) -> dict[str, object]:
    standard = {name: value[theirs] for name, theirs in named.items() if theirs in value}
    return {key: part for key, part in value.items() if key not in named.values()} | standard


def _exchange(asked: str, answered: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]


def _turns(value: object) -> object:
    """A list of turns out of JSON text or of a list per key; anything else as it is, for the chat's own check."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                f"the turns are text that is not JSON: {error}", expected="a list of turns", do="write it as JSON"
            ) from error
    if isinstance(value, dict) and value and all(isinstance(part, list) for part in value.values()):
        if len({len(part) for part in value.values()}) > 1:
            raise CorpusError("the turns are lists of unequal length", expected="a list of turns", do="export it again")
        return [dict(zip(value, parts, strict=True)) for parts in zip(*value.values(), strict=True)]
    return value


def _openai_turn(turn: object) -> object:
    """A ShareGPT turn with the keys and roles of the schema."""
    if not isinstance(turn, dict) or not set(_TURN_KEYS) <= set(turn):
        return turn
    known = {_TURN_KEYS.get(key, key): part for key, part in turn.items()}
    speaker = known["role"]
    return {**known, "role": _SPEAKERS.get(speaker, speaker) if isinstance(speaker, str) else speaker}


def _with_system(turns: object, system: object) -> object:
    """The turns with the system column before them, unless they begin with just that."""
    if not isinstance(turns, list) or system is None or (isinstance(system, str) and not system.strip()):
        return turns
    first = {"role": "system", "content": system}
    return turns if turns and turns[0] == first else [first, *turns]


def _optional_text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    if found is not None and not isinstance(found, str):
        raise CorpusError(f"{key} is {kind(found)}", expected="text", do=f"write {key} as text")
    return found if found and found.strip() else ""
