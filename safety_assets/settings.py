"""Reading a YAML file into a frozen pydantic model, with errors that name file, line and key."""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from safety_assets.errors import ProjectError


class Settings(BaseModel):
    """A frozen settings object: an unknown key or a wrong type is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


S = TypeVar("S", bound="Settings")


def read_settings(path: Path, kind: type[S]) -> S:
    """Read one YAML file.

    Raises:
        ProjectError: the file is missing, is not YAML, or holds a wrong key or value; every fault is named.
    """
    try:
        return _validated(path, path.read_text(encoding="utf-8"), kind)
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} cannot be read: {error}", expected=f"a {kind.__name__} file in YAML") from error


@lru_cache(maxsize=64)  # a gate reads the same policy for every artefact behind it
def _validated(path: Path, text: str, kind: type[S]) -> S:
    node, value = _parsed(path, text, kind)
    if not isinstance(value, dict):
        raise ProjectError(f"{path} holds {type(value).__name__}", expected="keys and values")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        faults = "; ".join(_fault(path, node, e) for e in error.errors())
        raise ProjectError(faults, do=f"correct {path}") from error


def _parsed(path: Path, text: str, kind: type[Settings]) -> tuple[yaml.Node | None, Any]:
    """The nodes of a text and their value."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        twice, unfit = list(_twice(node)), list(_unfit(node))
        value = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a number that Python does not read
        raise ProjectError(f"{path} is not YAML: {error}", expected=f"a {kind.__name__} file in YAML") from error
    except RecursionError as error:
        raise ProjectError(f"{path} is nested without end", expected=f"a {kind.__name__} file in YAML") from error
    if unfit:
        raise ProjectError("; ".join(f"{path}:{line}: a NUL character" for line in unfit), do="remove it")
    if twice:
        raise ProjectError("; ".join(f"{path}:{line}: {key} stands twice" for key, line in twice), do="keep one")
    return node, value


@cache
def schema_of(kind: type[Settings]) -> Mapping[str, Any]:
    """The JSON schema of a model; not to be changed."""
    return kind.model_json_schema()


def _twice(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that stand twice in one mapping, with the line of the later one: YAML itself would drop the first."""
    match node:
        case yaml.MappingNode():
            names = [key.value for key, _ in node.value]
            yield from (
                (key.value, key.start_mark.line + 1)
                for n, (key, _) in enumerate(node.value)
                if isinstance(key, yaml.ScalarNode) and key.value in names[:n]
            )
            for _, value in node.value:
                yield from _twice(value)
        case yaml.SequenceNode():
            for value in node.value:
                yield from _twice(value)


def _unfit(node: yaml.Node | None) -> Iterator[int]:
    """Lines of scalars with a NUL character: no path and no name may hold one."""
    match node:
        case yaml.ScalarNode() if "\0" in node.value:
            yield node.start_mark.line + 1
        case yaml.MappingNode():
            for pair in node.value:
                for part in pair:
                    yield from _unfit(part)
        case yaml.SequenceNode():
            for part in node.value:
                yield from _unfit(part)


def _fault(path: Path, node: yaml.Node | None, error: Any) -> str:
    keys = [k for k in error["loc"] if not str(k).startswith(("function-", "tagged-"))]
    line, known = _line(node, keys)
    where = ".".join(map(str, keys))
    message = "unknown key" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    telling = known and error["type"] not in ("missing", "extra_forbidden") and not isinstance(error["input"], dict)
    seen = f" (found {error['input']!r:.60})" if telling else ""
    return f"{path}:{line}: {where}: {message}{seen}" if where else f"{path}: {message}{seen}"


def _line(node: yaml.Node | None, keys: list) -> tuple[int, bool]:
    """The 1-based line of a nested key, as far as it exists, and whether all of it does."""
    line = node.start_mark.line + 1 if node else 1
    for key in keys:
        match node:
            case yaml.MappingNode():
                found = [(k, v) for k, v in node.value if k.value == str(key)]
                if not found:
                    if any(k.value in ("method", "metric") and v.value == key for k, v in node.value):
                        continue  # the tag of a union is no key of the file
                    return line, False
                line, node = found[0][0].start_mark.line + 1, found[0][1]
            case yaml.SequenceNode() if isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.start_mark.line + 1
            case _:
                return line, False
    return line, True
