"""A project: the folder that names base model, corpus, tasks, probes, recipes, policy, storage and device."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic_core import CoreSchema

from safety_assets import pools, suites
from safety_assets.datafiles import AnswerRule, DataFiles
from safety_assets.errors import ProjectError, SafetyAssetsError, name_one
from safety_assets.operation import Operation
from safety_assets.policy import Policy
from safety_assets.recipes import Recipe, read_recipe, recipe_files, repaired_from
from safety_assets.served.care import Care
from safety_assets.served.rail_settings import RailSettings
from safety_assets.settings import Settings, read_settings
from safety_assets.task_metric import Exact, TaskMetric

PROJECT_VARIABLE = "SAFETY_ASSETS_PROJECT"
STORAGE_VARIABLE = "SAFETY_ASSETS_STORAGE"
NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
STANDARD = "standard"


class AdaptedModel(Settings):
    """A base with a low-rank adapter (PEFT) on top, merged when it is loaded."""

    base: str | None = Field(None, description="folder or hub id; absent: what the adapter names, if that is a folder")
    adapter: str = Field(description="folder or hub id of the adapter")


ModelSetting = Annotated[
    Annotated[str, Tag("tagged-folder")] | Annotated[AdaptedModel, Tag("tagged-adapter")],
    Discriminator(lambda value: "tagged-folder" if isinstance(value, str) else "tagged-adapter"),
]
"""A folder, `organisation/name@<40 hex digits>` on the hub, or a base with an adapter."""


class _AnyOf:
    """In the JSON schema the word is one of the texts, so that an editor must not ask for exactly one option."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        return {"anyOf": schema.pop("oneOf"), **schema}


PairSource = Annotated[
    Annotated[Literal["standard"], Tag("tagged-word")] | Annotated[DataFiles, Tag("tagged-files")],
    Discriminator(lambda value: "tagged-word" if value == STANDARD else "tagged-files"),
    _AnyOf(),
]
"""The word standard for the pool of the package, or files of one's own; `{path: standard}` is a folder of that name."""

PairSetting = Annotated[
    Annotated[PairSource, Tag("tagged-one")]
    | Annotated[tuple[PairSource, ...], Field(min_length=1), Tag("tagged-several")],
    Discriminator(lambda value: "tagged-several" if isinstance(value, list | tuple) else "tagged-one"),
]
"""One source of refusal pairs, or several that are read in turn."""


class ProjectFile(Settings):
    """`project.yaml`. Paths are relative to the project's folder."""

    name: str = Field(pattern=NAME, description="what releases and code locations are called")
    asset_prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_]{0,63}$",
        description="first part of every asset key in Dagster; two projects of one workspace need two",
    )
    base_model: ModelSetting = Field(description="the aligned model that training starts from")
    anchor: ModelSetting | None = Field(None, description="the originally aligned model; the base when absent")
    pretrained_model: ModelSetting | None = Field(None, description="the base's unaligned ancestor")
    chat_template: str | None = Field(None, description="Jinja file instead of the models' own chat template")
    system_prompt: str | None = Field(
        None, min_length=1, description="serving system prompt, put before every chat that has no system message"
    )
    quantise: Literal["4bit", "8bit"] | None = Field(
        None, description="answer the gate probes with weights in so many bits, as they will be served (CUDA)"
    )
    corpus: tuple[DataFiles, ...] = Field(min_length=1, description="files or folders of chats, of any known shape")
    refusal_pairs: PairSetting = Field(
        description="file or folder of pairs with kind and category, the word standard for the pool of the package, or "
        "a list of them, as in [standard, refusals]"
    )
    task_set: DataFiles | None = Field(
        description="file or folder of tasks with a checkable answer; null = held-out rows of the corpus"
    )
    task_answer: AnswerRule | None = Field(
        None, description="where the checkable answer stands in a longer one; all of it when absent"
    )
    task_metric: TaskMetric = Field(Exact(), description="how a task's answer is marked; a name, or one with its knobs")
    probes: str = Field(description="folder of probe files, or the word standard for the suite of the package")
    recipes: str = Field("recipes", description="folder of recipe files")
    policy: str = Field("policy.yaml", description="the policy file")
    decisions: str = Field(
        "decisions.csv", description="single cases that a steward settled: row_id, finding, action, who, why"
    )
    labels: str = Field("labels.csv", description="rows that people labelled: row_id, draw, label (good, bad), who")
    external_checkpoints: str | None = Field(None, description="folder into which checkpoints from elsewhere are put")
    storage: str = Field("../.safety_assets/store", description="root of all artefacts")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where models run; auto takes CUDA when there is one"
    )
    devices: int = Field(1, ge=1, description="processes that train together, each on a device of its own")
    sharding: Literal["none", "fsdp"] = Field(
        "none", description="none: each process holds the model; fsdp: a part, where training does not fit one device"
    )
    threads: int | None = Field(None, ge=1, description="CPU threads of torch per process; its own choice when absent")
    processes: int | None = Field(
        None,
        ge=1,
        description="processes that audit the corpus side by side; absent: one per core for a corpus of several shards",
    )
    sweep_processes: int = Field(
        1,
        ge=1,
        description="shares of the sweep trained side by side, one thread each; for small models",
    )
    endpoints: Care = Field(Care(), description="how served models are asked")
    rail: RailSettings | None = Field(
        None, description="RAIL Score as a further judge; off when absent, since answers leave this machine"
    )
    max_new_tokens: int = Field(32, ge=1, description="longest answer that is generated when scoring, tokens")
    generation_batch: int = Field(128, ge=1, description="answers generated at once")
    operation: Operation = Field(Operation(), description="what runs by itself, and who is told; off when absent")

    smoke: bool = Field(False, description="a small copy that a smoke run made: nothing of it can be approved")

    @model_validator(mode="after")
    def _several_to_shard_over(self) -> "ProjectFile":
        if self.sharding == "fsdp" and self.devices == 1:
            raise ValueError("sharding: fsdp needs devices to shard over; set devices to 2 or more, or sharding: none")
        return self


@dataclass(frozen=True)
class Project:
    """A project file with its folder: every path absolute."""

    folder: Path
    settings: ProjectFile

    def path(self, relative: str | Path) -> Path:
        """A path of the project file, absolute."""
        return (self.folder / relative).resolve()

    def _files(self, given: DataFiles) -> DataFiles:
        return given.model_copy(update={"path": self.path(given.path)})

    @property
    def corpus(self) -> tuple[DataFiles, ...]:
        return tuple(self._files(given) for given in self.settings.corpus)

    @property
    def refusal_pairs(self) -> tuple[DataFiles, ...]:
        """Where the pairs are, in order: the pool of the package where the project says so, and its own files."""
        given = self.settings.refusal_pairs
        named = given if isinstance(given, tuple) else (given,)
        return tuple(
            self._files(one) if isinstance(one, DataFiles) else DataFiles(path=pools.STANDARD) for one in named
        )

    @property
    def task_set(self) -> DataFiles | None:
        return self._files(self.settings.task_set) if self.settings.task_set else None

    @property
    def probes(self) -> Path:
        """The standard suite of the package where the project says so, else its own folder."""
        return suites.STANDARD if self.settings.probes == STANDARD else self.path(self.settings.probes)

    @property
    def external_checkpoints(self) -> Path | None:
        chosen = self.settings.external_checkpoints
        return self.path(chosen) if chosen else None

    @property
    def decisions(self) -> Path:
        return self.path(self.settings.decisions)

    @property
    def labels(self) -> Path:
        return self.path(self.settings.labels)

    @property
    def policy_file(self) -> Path:
        return self.path(self.settings.policy)

    @property
    def storage(self) -> Path:
        chosen = None if self.settings.smoke else named(STORAGE_VARIABLE)  # its project was told already
        return Path(chosen).resolve() if chosen else self.path(self.settings.storage)

    def policy(self) -> Policy:
        """The policy file, read now."""
        return read_settings(self.policy_file, Policy)

    def recipe_files(self) -> dict[str, Path]:
        """Recipe name to file."""
        return recipe_files(self.path(self.settings.recipes))

    def recipe_names(self) -> list[str]:
        """Every recipe, each followed by its repaired candidates; of a file that cannot be read its name alone."""
        return [name for own in self.recipe_files() for name in (own, *self._candidates(own))]

    def _candidates(self, name: str) -> tuple[str, ...]:
        try:
            return tuple(self.recipe(name).candidates())
        except SafetyAssetsError:
            return ()  # told whenever the recipe is used

    def recipe(self, name: str) -> Recipe:
        """One recipe or repaired candidate, read now.

        Raises:
            ProjectError: it is none of those there are, or a repair of it needs a pretrained_model.
        """
        files, origin = self.recipe_files(), repaired_from(name) or name
        found = self._read(files[origin]) if origin in files else None
        every = {} if found is None else {origin: found, **found.candidates()}
        if name not in every:
            names = self.recipe_names()
            raise ProjectError(f"no recipe {name}", expected=f"one of {', '.join(names)}", do=name_one(name, names))
        return every[name]

    def _read(self, path: Path) -> Recipe:
        recipe = read_recipe(path)
        if recipe.needs_pretrained and self.settings.pretrained_model is None:
            raise ProjectError(
                f"recipe {recipe.name} has {recipe.needs_pretrained}, which reads what alignment changed",
                expected="pretrained_model in project.yaml, the base's unaligned ancestor",
                do="name it, or take merge or one_shot",
            )
        return recipe


BUNDLED = Path(__file__).resolve().parent.parent / "data"
"""The project of the repository; a wheel has none."""


def named(variable: str) -> str | None:
    """The folder that an environment variable names, None when it is not set.

    Raises:
        ProjectError: it is set and names nothing; what was meant cannot be guessed.
    """
    value = os.environ.get(variable)
    if value is not None and not value.strip():
        raise ProjectError(f"{variable} is set and empty", expected="a folder", do=f"name one, or unset {variable}")
    return value


def open_project(folder: Path | str | None = None) -> Project:
    """The project in a folder.

    Without one it is what SAFETY_ASSETS_PROJECT names, else the folder where the user stands if that is a project,
    else the bundled one.
    """
    path = Path(folder or named(PROJECT_VARIABLE) or _nearest()).resolve()
    if not (path / "project.yaml").is_file():
        raise ProjectError(
            f"{Path.cwd() if path == BUNDLED else path} holds no project.yaml",
            expected="a project folder",
            do=f"go to the folder of a project, or set {PROJECT_VARIABLE} to it; `safety-assets init` writes one",
        )
    return Project(path, read_settings(path / "project.yaml", ProjectFile))


def _nearest() -> Path:
    here = Path.cwd()
    return here if (here / "project.yaml").is_file() else BUNDLED
