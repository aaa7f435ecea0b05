"""Writes a new project: every file from what the user named, and none that is there already."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safety_assets.commented import commented
from safety_assets.errors import ProjectError
from safety_assets.policy import Policy
from safety_assets.project import NAME, STANDARD, Project, ProjectFile, open_project
from safety_assets.recipes import Recipe
from safety_assets.schemas import FOLDER, KINDS, schema_path, schema_text
from safety_assets.starter.law import TITLES, Risk, policy_values
from safety_assets.starter.places import DEFINITIONS, IGNORED, pairs_readme, probes_readme
from safety_assets.starter.recipes import STARTERS, Size, recipe_values

TITLE = "The project. Paths are relative to this folder or absolute."


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user wants a new project to be.

    Args:
        folder: where it will stand.
        name: what it is called.
        base_model: model folder; like corpus and task_set absolute, or relative to where the user stands.
        corpus: files or folders.
        task_set: file.
        risk: what a mistake would cost.
    """

    folder: Path
    name: str
    base_model: str
    corpus: Sequence[str]
    task_set: str
    risk: Risk


def write_project(wish: Wish, size: Size) -> Project:
    """Write every file of the project and open it again.

    Raises:
        ProjectError: the name cannot be one, or a file that would be written exists; nothing was written.
    """
    if not re.match(NAME, wish.name):
        raise ProjectError(
            f"{wish.name!r:.70} is no project name", expected="a-z, 0-9, - and _, at most 63", do="give one with --name"
        )
    texts = project_texts(wish, size)
    there = [name for name in texts if (wish.folder / name).exists()]
    if there:
        raise ProjectError(
            f"{wish.folder / there[0]} exists",
            expected="a folder without " + ", ".join(there),
            do="name another folder, or move that file away: nothing is overwritten",
        )
    for name, text in texts.items():
        write_new(wish.folder / name, text)
    return read_again(wish.folder)


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet; ProjectError when it does or cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise ProjectError(f"{path} exists", do="name another, or move it away: nothing is overwritten") from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be written: {error.strerror}", do="choose a folder you may write") from error


def read_again(folder: Path) -> Project:
    """The project as its readers see it: every settings file is read."""
    project = open_project(folder)
    project.policy()
    for name in project.recipe_files():
        project.recipe(name)
    return project


def project_texts(wish: Wish, size: Size) -> dict[str, str]:
    """Name to text of every file of a new project, relative to its folder."""
    settings = commented(ProjectFile, _settings(wish), title=TITLE, schema=f"{FOLDER}/project.json")
    law = commented(
        Policy, policy_values(wish.risk), title=TITLES[wish.risk] + " Its owner changes it, not who trains.",
        schema=f"{FOLDER}/policy.json",
    )  # fmt: skip
    return {
        "project.yaml": settings,
        "policy.yaml": law,
        **{f"recipes/{name}.yaml": _recipe(wish, name, size) for name in STARTERS},
        "refusals/README.md": pairs_readme(),
        "probes/README.md": probes_readme(),
        "definitions.py": DEFINITIONS,
        ".gitignore": IGNORED,
        **{f"{FOLDER}/{kind}.json": schema_text(kind) for kind in KINDS},
    }


def _recipe(wish: Wish, name: str, size: Size) -> str:
    schema = schema_path(wish.folder, "recipe", wish.folder / "recipes" / f"{name}.yaml")
    return commented(Recipe, recipe_values(name, size), title=STARTERS[name].title, schema=schema)


def _settings(wish: Wish) -> dict:
    return {
        "name": wish.name,
        "asset_prefix": wish.name.replace("-", "_"),
        "base_model": as_written(wish.base_model, wish.folder),
        "corpus": [as_written(path, wish.folder) for path in wish.corpus],
        "refusal_pairs": STANDARD,
        "task_set": as_written(wish.task_set, wish.folder),
        "probes": STANDARD,
        "storage": ".safety_assets/store",
        "max_new_tokens": 128,
        "generation_batch": 16,
    }


def as_written(given: str, folder: Path) -> str:
    """A path as `project.yaml` holds it: absolute stays absolute, relative is from the project's folder."""
    return given if Path(given).is_absolute() else Path(os.path.relpath(given, folder)).as_posix()
