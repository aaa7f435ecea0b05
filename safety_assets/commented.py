"""A settings file with every key explained: what it means, what is allowed, what holds when it is left out.

Every word comes from the JSON schema of the pydantic model that also reads the file, so nothing here can drift from it.
A key that has no value yet stands there switched off, as `#key: default`.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from safety_assets.settings import Settings, schema_of

WIDTH = 110
"""Characters of a comment line."""

Schema = Mapping[str, Any]


def commented(kind: type[Settings], values: Mapping[str, object], *, title: str, schema: str) -> str:
    """The YAML text of a settings file.

    Args:
        kind: the model that will read it.
        values: what is set; plain JSON types. Keys that are absent are shown switched off.
        title: the first sentence of the file.
        schema: path of the JSON schema, relative to the file, for editors.
    """
    document = schema_of(kind)
    lines = [f"# yaml-language-server: $schema={schema}", *_wrapped(title, "")]
    return "\n".join([*lines, "", *_Writer(document.get("$defs", {})).keys(document, values, "")]) + "\n"


class _Writer:
    """Walks a schema and a value side by side.

    Args:
        definitions: the schemas that others refer to.
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions

    def keys(self, node: Schema, values: Mapping[str, object], indent: str) -> Iterator[str]:
        """Every key of an object, the given ones on, the others off."""
        for key, found in node["properties"].items():
            field = self.resolved(found)
            yield from _wrapped(self.says(field, required=key in node.get("required", ())), indent)
            yield from self.entry(key, field, values, indent)

    def entry(self, key: str, field: Schema, values: Mapping[str, object], indent: str) -> Iterator[str]:
        """One key with its value, in the form that fits its type."""
        given, value = key in values, values.get(key, field.get("default"))
        inner, choices = self.object_in(field), self.items_in(field)
        if inner is not None:
            yield _switched(f"{key}:" if value or not given else f"{key}: {{}}", indent, on=given)
            yield from self.keys(inner, _mapping(value) if given else {}, indent + "  ")
        elif choices:
            yield from self.items(key, choices, value if given and isinstance(value, Sequence) else (), indent)
        elif "additionalProperties" in field and given and value:
            yield from self.named(key, field, _mapping(value), indent)
        else:
            yield _switched(f"{key}: {_flow(value)}", indent, on=given)

    def items(self, key: str, choices: Sequence[Schema], given: Sequence, indent: str) -> Iterator[str]:
        """A list of tagged objects: those that were chosen, then the menu of the others, switched off."""
        tags = {_tag(choice): choice for choice in choices}
        chosen = {str(_mapping(item)[_tag_keys(choices[0])[0]]): _mapping(item) for item in given}
        yield _switched(f"{key}:" if chosen else f"{key}: []", indent, on=bool(chosen))
        for tag in (*chosen, *(t for t in tags if t not in chosen)):
            yield from self.item(tags[tag], chosen.get(tag), indent + "  ")

    def item(self, choice: Schema, value: Mapping[str, object] | None, indent: str) -> Iterator[str]:
        """One tagged object of a list."""
        yield from _wrapped(choice.get("description", ""), indent)
        yield _switched(f"- {_tags(choice)[0]}", indent, on=value is not None)
        rest = {k: v for k, v in choice["properties"].items() if k not in _tag_keys(choice)}
        yield from self.keys({**choice, "properties": rest}, value or {}, indent + "  ")

    def named(self, key: str, field: Schema, values: Mapping[str, object], indent: str) -> Iterator[str]:
        """A mapping of free names: what an entry may hold once, then an entry a line."""
        inner = self.resolved(field.get("additionalProperties") or {})
        for name, found in inner.get("properties", {}).items():
            said = self.says(self.resolved(found), required=name in inner.get("required", ()))
            parts = (self.object_in(found) or {}).get("properties", ())
            yield from _wrapped(f"{name}: {said}{' with ' if parts else ''}{', '.join(parts)}", indent + "  ")
        yield f"{indent}{key}:"
        yield from (f"{indent}  {name}: {_flow(value)}" for name, value in values.items())

    def resolved(self, field: Schema) -> Schema:
        """A schema with its reference followed; what stands beside the reference wins."""
        if "$ref" not in field:
            return field
        return {**self.definitions[field["$ref"].rsplit("/", 1)[1]], **field}

    def object_in(self, field: Schema) -> Schema | None:
        """The one object that a key holds, also when it may be left out; None when it may hold something else."""
        options = [self.resolved(option) for option in field.get("anyOf", [field]) if option.get("type") != "null"]
        return options[0] if len(options) == 1 and "properties" in options[0] else None

    def items_in(self, field: Schema) -> list[Schema]:
        """The tagged objects of which a list may hold some."""
        items = field.get("items", {})
        found = [self.resolved(option) for option in items.get("oneOf", [items])]
        return found if all(_tags(option) for option in found) else []

    def says(self, field: Schema, *, required: bool) -> str:
        """Meaning, and in parentheses domain and default of a key."""
        inner = self.object_in(field)
        meaning = field.get("description") or (inner or {}).get("description", "")
        domain = "" if inner or self.items_in(field) else self.domain(field)
        default = "" if inner or field.get("default") in (None, "", []) else f"default {_flow(field['default'])}"
        limits = ", ".join(part for part in (domain, "required" if required else default) if part)
        return f"{meaning.rstrip('.')} ({limits})" if limits else meaning.rstrip(".")

    def domain(self, field: Schema) -> str:
        """The values that are allowed, in words."""
        field = self.resolved(field)
        options = [*field.get("anyOf", ()), *field.get("oneOf", ())]
        if options:
            return " or ".join(self.domain(option) for option in options if option.get("type") != "null")
        if "properties" in field:
            return (
                f"{{{', '.join(_tags(field) + [key for key in field['properties'] if key not in _tag_keys(field)])}}}"
            )
        if "enum" in field or "const" in field:
            return " | ".join(field.get("enum", [field.get("const")]))
        words = _TYPES.get(field.get("type", ""), "")
        if field.get("type") == "array":
            inner = self.domain(field["items"]) if "items" in field else "numbers"
            words = f"list of {inner}" if "items" in field else f"{len(field['prefixItems'])} {inner}"
        bounds = [f"{said} {field[key]}" for key, said in _BOUNDS.items() if key in field]
        return " ".join([words, *bounds]).strip()


_TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
_BOUNDS = {"minimum": "from", "exclusiveMinimum": "over", "maximum": "to", "exclusiveMaximum": "under"}


def _tag_keys(choice: Schema) -> list[str]:
    """The keys that hold a constant: by them tagged objects are told apart."""
    return [key for key, field in choice.get("properties", {}).items() if "const" in field]


def _tags(choice: Schema) -> list[str]:
    return [f"{key}: {choice['properties'][key]['const']}" for key in _tag_keys(choice)]


def _tag(choice: Schema) -> str:
    return choice["properties"][_tag_keys(choice)[0]]["const"]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _switched(line: str, indent: str, *, on: bool) -> str:
    return f"{indent}{line}" if on else f"{indent}#{line}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ")


def _flow(value: object) -> str:
    """A value on one line; a text of several lines in quotes, with its line ends as \\n."""
    if isinstance(value, str) and "\n" in value:
        return json.dumps(value, ensure_ascii=False)
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")
