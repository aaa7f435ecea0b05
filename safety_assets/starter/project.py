"""Writes a new project: every file from what the user named, and none that is there already."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from safety_assets.commented import commented
from safety_assets.errors import ProjectError
from safety_assets.policy import Policy
from safety_assets.project import NAME, STANDARD, Project, ProjectFile, open_project
from safety_assets.recipes import Recipe
from safety_assets.schemas import FOLDER, KINDS, schema_path, schema_text
from safety_assets.starter.base import NamedModel
from safety_assets.starter.law import TITLES, Risk, policy_values
from safety_assets.starter.marking import Marking, as_setting
from safety_assets.starter.places import DEFINITIONS, IGNORED, pairs_readme, probes_readme
from safety_assets.starter.recipes import STARTERS, Size, recipe_values

TITLE = "The project. Paths are relative to this folder or absolute."
REFUSALS = "refusals"
"""A place for pairs of one's own."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user wants a new project to be. Paths are absolute, or relative to where the user stands.

    Args:
        folder: where it will stand.
        name: what it is called.
        model: the base model as named.
        corpus: files or folders.
        task_set: file or folder; None holds rows out of the corpus.
        marking: how the tasks are marked.
        risk: what a mistake would cost.
        probes: folder, or `standard`.
        refusal_pairs: files or folders, or `standard` for the pool of the package.
    """

    folder: Path
    name: str
    model: NamedModel
    corpus: Sequence[str]
    task_set: str | None
    marking: Marking
    risk: Risk
    probes: str = STANDARD
    refusal_pairs: Sequence[str] = (STANDARD,)


def demand_place(folder: Path, name: str) -> None:
    """ProjectError when the name cannot be one, or the folder holds a project already."""
    if not re.match(NAME, name):
        raise ProjectError(
            f"{name!r:.70} is no project name", expected="a-z, 0-9, - and _, at most 63", do="give one with --name"
        )
    _demand_absent(folder, ["project.yaml"])


def write_project(wish: Wish, size: Size) -> tuple[Project, list[Path]]:
    """Write every file of the project and open it again: the project, and the files that were written.

    Raises:
        ProjectError: the name cannot be one, or a file that would be written exists; nothing was written.
    """
    demand_place(wish.folder, wish.name)
    texts = project_texts(wish, size)
    _demand_absent(wish.folder, texts)
    for name, text in texts.items():
        write_new(wish.folder / name, text)
    return read_again(wish.folder), [wish.folder / name for name in texts]


def _demand_absent(folder: Path, names: Iterable[str]) -> None:
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise ProjectError(
            f"{folder / there[0]} exists",
            expected="a folder without " + ", ".join(there),
            do="name another folder, or move that file away: nothing is overwritten",
        )


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
        Policy, policy_values(wish.risk, wish.marking.metric),
        title=TITLES[wish.risk] + " Its owner changes it, not who trains.", schema=f"{FOLDER}/policy.json",
    )  # fmt: skip
    return {
        "project.yaml": settings,
        "policy.yaml": law,
        **{f"recipes/{name}.yaml": _recipe(wish, name, size) for name in STARTERS},
        f"{REFUSALS}/README.md": pairs_readme(),
        "probes/README.md": probes_readme(),
        "definitions.py": DEFINITIONS,
        ".gitignore": IGNORED,
        **{f"{FOLDER}/{kind}.json": schema_text(kind) for kind in KINDS},
    }


def _recipe(wish: Wish, name: str, size: Size) -> str:
    schema = schema_path(wish.folder, "recipe", wish.folder / "recipes" / f"{name}.yaml")
    return commented(Recipe, recipe_values(name, size), title=STARTERS[name].title, schema=schema)


def _settings(wish: Wish) -> dict:
    """The values of project.yaml; keys that keep their default are left out, and shown switched off."""

    def place(given: str) -> str:
        return as_written(given, wish.folder)

    model, marking = wish.model, wish.marking
    base = place(model.base)
    pairs = [name if name == STANDARD else place(name) for name in wish.refusal_pairs]
    chosen = {
        "chat_template": place(model.chat_template) if model.chat_template else None,
        "system_prompt": model.system_prompt,
        "task_answer": as_setting(marking.rule) if marking.rule else None,
    }
    return {
        "name": wish.name,
        "asset_prefix": wish.name.replace("-", "_"),
        "base_model": {"base": base, "adapter": place(model.adapter)} if model.adapter else base,
        "corpus": [place(path) for path in wish.corpus],
        "refusal_pairs": pairs[0] if len(pairs) == 1 else pairs,
        "task_set": place(wish.task_set) if wish.task_set else None,
        "task_metric": as_setting(marking.metric),
        "probes": wish.probes if wish.probes == STANDARD else place(wish.probes),
        "storage": ".safety_assets/store",
        "max_new_tokens": 128,
        "generation_batch": 16,
        **{key: value for key, value in chosen.items() if value is not None},
    }


def as_written(given: str, folder: Path) -> str:
    """A path as `project.yaml` holds it: relative is from the project's folder; absolute and hub ids stay."""
    from safety_assets.models.hub import parse_hub_id

    stays = Path(given).is_absolute() or parse_hub_id(given) is not None
    return given if stays else Path(os.path.relpath(given, folder)).as_posix()
