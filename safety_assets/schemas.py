"""JSON schemas of the files users write, from the models that read them."""

import json
import os
from pathlib import Path

from safety_assets.policy import Policy
from safety_assets.project import ProjectFile
from safety_assets.recipes import Recipe
from safety_assets.settings import Settings, schema_of

KINDS: dict[str, type[Settings]] = {"project": ProjectFile, "policy": Policy, "recipe": Recipe}
FOLDER = ".schemas"
"""Where a project keeps its schemas for editors."""


def schema_text(kind: str) -> str:
    """The JSON schema (draft 2020-12) of one kind of file, indented."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema_of(KINDS[kind])}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_path(project: Path, kind: str, file: Path) -> str:
    """The path of a schema as a file of the project names it: relative to that file's folder."""
    return Path(os.path.relpath(project / FOLDER / f"{kind}.json", file.parent)).as_posix()
