"""Written files explain every key, in words that come from the model, and read back as what was meant."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import Field

from safety_assets.commented import commented
from safety_assets.schemas import KINDS
from safety_assets.settings import Settings

DATA = Path(__file__).parents[1] / "data"
FILES = [("project", DATA / "project.yaml"), ("policy", DATA / "policy.yaml")]
FILES += [("recipe", path) for path in sorted((DATA / "recipes").glob("*.yaml"))]


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda value: getattr(value, "stem", value))
def test_a_file_reads_back_as_what_was_written(kind: str, path: Path) -> None:
    values = yaml.safe_load(path.read_text())
    text = commented(KINDS[kind], values, title="A title.", schema="x.json")
    assert KINDS[kind].model_validate(yaml.safe_load(text)) == KINDS[kind].model_validate(values)
    assert text.startswith("# yaml-language-server: $schema=x.json\n# A title.\n")


def every_field(schema: dict) -> list[tuple[str, dict]]:
    """Every key of a settings file, those of its sections included."""
    sections = [schema, *schema.get("$defs", {}).values()]
    return [(f"{s['title']}.{key}", field) for s in sections for key, field in s.get("properties", {}).items()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_has_a_meaning(kind: str) -> None:
    schema = KINDS[kind].model_json_schema()
    sections = {f"#/$defs/{name}" for name, section in schema.get("$defs", {}).items() if section.get("description")}
    bare = [
        name
        for name, field in every_field(schema)
        if not field.get("description") and field.get("$ref") not in sections and "const" not in field
    ]
    assert bare == []


class Small(Settings):
    """A part."""

    size: int = Field(2, ge=1, description="how large")


class Red(Settings):
    """The red one."""

    kind: Literal["red"] = "red"
    depth: float = Field(0.5, gt=0, lt=1, description="how deep")


class Blue(Settings):
    """The blue one."""

    kind: Literal["blue"] = "blue"


class Whole(Settings):
    """All shapes a key can have."""

    name: str = Field(description="what it is called")
    part: Small = Small()
    maybe: Small | None = Field(None, description="perhaps a part")
    either: str | Small = Field("x", description="a name or a part")
    paint: Annotated[Red | Blue, Field(discriminator="kind")] = Field(Red(), description="one colour")
    layers: tuple[Annotated[Red | Blue, Field(discriminator="kind")], ...] = Field((), description="colours")
    by_name: dict[str, Small] = Field({}, description="parts by name")
    mode: Literal["a", "b"] = Field("a", description="how")


@pytest.mark.parametrize(
    "values",
    [
        {"name": "n"},
        {"name": "n: #", "part": {}, "maybe": {"size": 3}, "either": "y"},
        {"name": "none", "either": {"size": 4}, "paint": {"kind": "blue"}},
        {"name": "n", "layers": [{"kind": "blue"}, {"kind": "red", "depth": 0.1}], "by_name": {"one": {"size": 9}}},
        {"name": "true", "part": {"size": 7}, "mode": "b", "layers": [], "by_name": {}},
    ],
)
def test_every_shape_of_key_reads_back(values: dict) -> None:
    text = commented(Whole, values, title="t", schema="s")
    assert Whole.model_validate(yaml.safe_load(text)) == Whole.model_validate(values)


def test_a_key_that_is_off_shows_meaning_domain_and_default() -> None:
    text = commented(Whole, {"name": "n", "layers": [{"kind": "blue"}]}, title="t", schema="s")
    for line in (
        "# what it is called (text, required)",
        "# how (a | b, default a)",
        "#mode: a",
        "  # how large (whole number from 1, default 2)",
        "  #size: 2",
        "  - kind: blue",
        "  #- kind: red",
        "    # how deep (number over 0 under 1, default 0.5)",
    ):
        assert line in text.splitlines(), text
