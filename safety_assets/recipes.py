"""A recipe: everything that decides how a checkpoint is trained. One YAML file, one Dagster partition.

Its whole content goes into the checkpoint's manifest. Nothing here can be overridden at launch: a
hyper-parameter changed there would make the partition's name a lie.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from safety_assets.errors import ProjectError
from safety_assets.method_places import ONE_OF, Origin
from safety_assets.method_specs import MethodSpec
from safety_assets.monitor_specs import Monitor
from safety_assets.repair_specs import LowRankExtrapolation, RepairSpec, key_of
from safety_assets.settings import Settings, read_settings


class Optimiser(Settings):
    """AdamW and its schedule."""

    learning_rate: float = Field(gt=0, le=1, description="peak of the schedule; about 2e-5 full, 2e-4 with LoRA")
    steps: int = Field(ge=1, description="optimiser steps")
    batch_rows: int = Field(16, ge=1, description="task rows per optimiser step; injected rows come on top")
    micro_batch_rows: int | None = Field(None, ge=1, description="rows per forward pass; all of a step when absent")
    warmup_steps: int = Field(0, ge=0, description="optimiser steps in which the learning rate rises from 0")
    schedule: Literal["constant", "linear", "cosine"] = Field("linear", description="how the learning rate falls")
    final_share: float = Field(0.1, ge=0, le=1, description="learning rate at the end, as a share of the peak")
    weight_decay: float = Field(0.0, ge=0, description="0 for full fine-tuning: decay pulls away from the aligned base")
    betas: tuple[float, float] = Field((0.9, 0.999), description="decay of the averages of gradient and its square")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")


class Recipe(Settings):
    """One way of fine-tuning."""

    name: str = Field("", description="the file's name without .yaml; needs no entry")
    description: str = Field(min_length=1, description="one sentence that the user interface shows")
    optimiser: Optimiser
    injection: Literal["calibrated", "none"] | Annotated[float, Field(gt=0, lt=1)] = Field(
        description="share of injected rows among all rows"
    )
    origins: tuple[Origin, ...] = Field(("refusal", "lookalike", "anchor"), description="which pairs are injected")
    methods: tuple[MethodSpec, ...] = Field((), description="what protects or shapes the training, each at most once")
    start: tuple[LowRankExtrapolation, ...] = Field(
        (), max_length=1, description="what is done to the base before training; the comparison stays with the base"
    )
    finish: tuple[RepairSpec, ...] = Field(
        (), description="repairs of the trained weights, in order, each at most once; part of the checkpoint"
    )
    repairs: tuple[RepairSpec, ...] = Field(
        (),
        description="repairs to try, each alone, where a candidate would be rejected, each at most once; each makes a "
        "candidate of its own, RECIPE--REPAIR",
    )
    monitor: Monitor = Monitor()
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="of matrix products; weights stay fp32")
    activation_checkpointing: bool = Field(
        False, description="compute activations again in the backward pass: less memory, about a third more time"
    )
    under_system_prompt: bool = Field(
        False, description="train under the project's serving system prompt; without it alignment erodes less (PTST)"
    )
    max_tokens: int = Field(128, ge=8, description="tokens of a row; longer rows are quarantined, never cut")
    seed: int = Field(0, ge=0, description="of order, mix and dropout")

    @model_validator(mode="after")
    def _coexist(self) -> "Recipe":
        kinds = [m.method for m in self.methods]
        twice = sorted({k for k in kinds if kinds.count(k) > 1})
        if twice:
            raise ValueError(f"method {twice[0]} stands twice; keep one")
        for place in sorted(ONE_OF):
            rivals = [m.method for m in self.methods if m.place is place]
            if len(rivals) > 1:
                raise ValueError(f"methods {' and '.join(rivals)} cannot act together; keep one")
        self._monitor_can_act()
        if self.injection != "none" and not self.origins:
            raise ValueError("injection needs origins; name some or set injection: none")
        for key in ("finish", "repairs"):
            names = [spec.repair for spec in getattr(self, key)]
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(f"repair {repeated[0]} stands twice in {key}; keep one")
        return self

    @property
    def weights_decided_by(self) -> "Recipe":
        """The recipe without what decides no weight of it: the repairs to try."""
        return self.model_copy(update={"repairs": ()})

    @property
    def needs_pretrained(self) -> str:
        """The first repair or instrument that reads the base's unaligned ancestor; empty when none does."""
        every = (*self.start, *self.finish, *self.repairs)
        named = [spec.repair for spec in every if "pretrained" in spec.needs]
        return next(iter([*named, *(own.look for own in self.monitor.instruments if own.reads_ancestor)]), "")

    def candidates(self) -> dict[str, "Recipe"]:
        """Name to recipe of every repaired candidate, in the order in which they are tried."""
        return {
            name: self.model_copy(
                update={
                    "name": name,
                    "description": f"{self.description}; repaired by {spec.repair}",
                    "finish": (*self.finish, spec),
                    "repairs": (),
                }
            )
            for spec in self.repairs
            for name in [f"{self.name}{REPAIRED}{key_of(spec)}"]
        }

    def _monitor_can_act(self) -> None:
        """Every action of the monitor has something to act on."""
        if "raise_safety_weight" in self.monitor.actions and not any(m.weighted for m in self.methods):
            raise ValueError("the monitor raises the safety weight, and no method has one; add gradient_surgery")
        lasting = [m.method for m in self.methods if m.per_parameter]
        if "switch_to_lora" in self.monitor.actions and lasting:
            raise ValueError(
                f"the monitor switches to LoRA, and {lasting[0]} needs the parameters that it began with; keep one"
            )


REPAIRED = "--"
"""Stands between the name of a recipe and that of the repair, in the name of a repaired candidate."""


def repaired_from(name: str) -> str:
    """The recipe that a repaired candidate is made from; empty for a recipe of its own file."""
    return name.rpartition(REPAIRED)[0]


PARTITION_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
RECIPE_NAME = "a-z, 0-9 and single hyphens, at most 63"


def is_recipe_name(name: str) -> bool:
    """Whether a file may be called so: two hyphens stand in the names of repaired candidates."""
    return PARTITION_KEY.fullmatch(name) is not None and REPAIRED not in name


def read_recipe(path: Path) -> Recipe:
    """One recipe file; its stem is its name and its partition key."""
    recipe = read_settings(path, Recipe)
    if not is_recipe_name(path.stem):
        raise ProjectError(f"{path.name} is no recipe name", expected=RECIPE_NAME, do="rename it")
    if recipe.name not in ("", path.stem):
        raise ProjectError(f"{path} says name: {recipe.name}", expected=f"{path.stem}", do="drop the key or rename")
    return recipe.model_copy(update={"name": path.stem})


def recipe_files(folder: Path) -> dict[str, Path]:
    """Name to file of every recipe in a folder, sorted; ProjectError when there is none."""
    files = {p.stem: p for p in sorted(folder.glob("*.yaml"))}
    if not files:
        raise ProjectError(f"{folder} holds no recipe", expected="at least one NAME.yaml", do="add a recipe")
    return files
