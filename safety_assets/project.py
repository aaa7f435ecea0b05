"""A project: the folder that names base model, corpus, tasks, probes, recipes, policy, storage and device."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from safety_assets.errors import ProjectError
from safety_assets.policy import Policy
from safety_assets.recipes import Recipe, read_recipe, recipe_files
from safety_assets.settings import Settings, read_settings

PROJECT_VARIABLE = "SAFETY_ASSETS_PROJECT"
STORAGE_VARIABLE = "SAFETY_ASSETS_STORAGE"
NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
STANDARD = "standard"
STANDARD_PROBES = Path(__file__).resolve().parent / "suites" / STANDARD
"""The probes in plain English that come with the package."""


class ProjectFile(Settings):
    """`project.yaml`. Paths are relative to the project's folder."""

    name: str = Field(pattern=NAME, description="what releases and code locations are called")
    asset_prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_]{0,63}$",
        description="first part of every asset key in Dagster; two projects of one workspace need two",
    )
    base_model: str = Field(description="folder of the aligned model that training starts from")
    anchor: str | None = Field(None, description="the originally aligned model; the base when absent")
    pretrained_model: str | None = Field(None, description="the base's unaligned ancestor")
    corpus: tuple[str, ...] = Field(min_length=1, description="JSONL files or folders of them")
    refusal_pairs: str = Field(description="JSONL file or folder of pairs with kind and category")
    task_set: str = Field(description="JSONL file of held-out tasks with a checkable answer")
    task_metric: Literal["exact", "contains"] = Field(
        "exact", description="how an answer is compared with the checkable one"
    )
    probes: str = Field(description="folder of probe files, or the word standard for the suite of the package")
    recipes: str = Field("recipes", description="folder of recipe files")
    policy: str = Field("policy.yaml", description="the policy file")
    storage: str = Field("../.safety_assets/store", description="root of all artefacts")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where models run; auto takes CUDA when there is one"
    )
    threads: int | None = Field(None, ge=1, description="CPU threads of torch; its own choice when absent")
    max_new_tokens: int = Field(32, ge=1, description="longest answer that is generated when scoring, tokens")
    generation_batch: int = Field(128, ge=1, description="answers generated at once")


@dataclass(frozen=True)
class Project:
    """A project file with its folder: every path absolute."""

    folder: Path
    settings: ProjectFile

    def path(self, relative: str) -> Path:
        """A path of the project file, absolute."""
        return (self.folder / relative).resolve()

    @property
    def base_model(self) -> Path:
        return self.path(self.settings.base_model)

    @property
    def pretrained_model(self) -> Path | None:
        return self.path(self.settings.pretrained_model) if self.settings.pretrained_model else None

    @property
    def corpus(self) -> tuple[Path, ...]:
        return tuple(self.path(p) for p in self.settings.corpus)

    @property
    def refusal_pairs(self) -> Path:
        return self.path(self.settings.refusal_pairs)

    @property
    def task_set(self) -> Path:
        return self.path(self.settings.task_set)

    @property
    def probes(self) -> Path:
        return probe_folder(self)

    @property
    def policy_file(self) -> Path:
        return self.path(self.settings.policy)

    @property
    def storage(self) -> Path:
        chosen = os.environ.get(STORAGE_VARIABLE)
        return Path(chosen).resolve() if chosen else self.path(self.settings.storage)

    def policy(self) -> Policy:
        """The policy file, read now."""
        return read_settings(self.policy_file, Policy)

    def recipe_files(self) -> dict[str, Path]:
        """Recipe name to file."""
        return recipe_files(self.path(self.settings.recipes))

    def recipe(self, name: str) -> Recipe:
        """One recipe, read now; ProjectError naming the recipes there are when it is none of them."""
        files = self.recipe_files()
        if name not in files:
            raise ProjectError(f"no recipe {name}", expected=f"one of {', '.join(files)}", do="name one of them")
        return read_recipe(files[name])


def probe_folder(project: Project) -> Path:
    """The folder of the probe files: the suite of the package when the project says `standard`, else its own.

    Raises:
        ProjectError: the project says `standard` and this package was installed without that suite.
    """
    if project.settings.probes != STANDARD:
        return project.path(project.settings.probes)
    if not STANDARD_PROBES.is_dir():
        raise ProjectError(
            f"probes: {STANDARD} in {project.folder / 'project.yaml'}, and {STANDARD_PROBES} does not exist",
            expected="the suite that is part of the package",
            do="install the package again, or name a folder of probe files",
        )
    return STANDARD_PROBES


def open_project(folder: Path | str | None = None) -> Project:
    """The project in a folder, by default the one that SAFETY_ASSETS_PROJECT names, else the bundled one."""
    chosen = folder or os.environ.get(PROJECT_VARIABLE) or Path(__file__).resolve().parent.parent / "data"
    path = Path(chosen).resolve()
    if not (path / "project.yaml").is_file():
        raise ProjectError(
            f"{path} holds no project.yaml",
            expected="a project folder",
            do=f"set {PROJECT_VARIABLE} to the folder of a project",
        )
    return Project(path, read_settings(path / "project.yaml", ProjectFile))
