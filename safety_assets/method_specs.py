"""What a recipe may say of each method: one class per method, light, with the knobs and their domain.

Each class also says where the method acts among others, which class carries it out, what it needs, with which knobs it
does nothing, whether its strength follows the safety weight that a monitor may raise (`weighted`), and whether it keeps
something per parameter, so that the parameters must stay the same to the end (`per_parameter`).
The union at the end is what a recipe's `methods` may hold.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from safety_assets.settings import Settings

Origin = Literal["refusal", "lookalike", "anchor"]


class Place(IntEnum):
    """The one order in which methods act, whatever their order in the recipe.

    Freezing comes first, so that every inner product lives in what is trained; then what is put into the model;
    weights and terms of the loss; gradients at displaced weights before gradients that are added, and these before
    the one that removes conflicts; after the step first what moves weights, and averages last.
    """

    FREEZE = 0
    WRAP = 1
    WEIGH = 2
    LOSS = 3
    DISPLACE = 4
    ADD = 5
    SURGERY = 6
    PROJECT = 7
    AVERAGE = 8


ONE_OF: frozenset[Place] = frozenset({Place.WRAP, Place.DISPLACE, Place.SURGERY, Place.PROJECT, Place.AVERAGE})
"""Places that one method of a recipe at most can take."""

Need = Literal["pairs", "harmful", "anatomy", "safety_tokens"]
"""What a method cannot do without: rows of pairs; their prompts answered by a marked placeholder; the description of
where safety lives in the base; the safety tokens in it, which take an unaligned ancestor."""


class GradientSurgery(Settings):
    """SafeGrad: remove from the task gradient what conflicts with the safety gradient (methods/gradient_surgery.py)."""

    place: ClassVar[Place] = Place.SURGERY
    weighted: ClassVar[bool] = True
    carried_out_by: ClassVar[str] = "safety_assets.methods.gradient_surgery:SafeGrad"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"every": 1_000_000}
    per_parameter: ClassVar[bool] = False

    method: Literal["gradient_surgery"] = Field(description="names the method")
    strength: float = Field(
        1.0, ge=0, description="rho, the weight of the safety gradient that is added; 0 only projects"
    )
    every: int = Field(1, ge=1, description="optimiser steps between two safety batches")
    batch_rows: int = Field(8, ge=1, description="rows of a safety batch")
    temperature: float = Field(1.0, gt=0, description="temperature of the KL divergence to the reference")
    origins: tuple[Origin, ...] = Field(
        ("refusal", "lookalike", "anchor"), min_length=1, description="pairs that safety batches are drawn from"
    )


class LowRankAdaptation(Settings):
    """LoRA: train low-rank updates of the linear layers, merged at the end (methods/lora.py)."""

    place: ClassVar[Place] = Place.WRAP
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = True
    carried_out_by: ClassVar[str] = "safety_assets.methods.lora:LoRA"
    needs: ClassVar[frozenset[Need]] = frozenset()
    neutral: ClassVar[Mapping[str, object] | str] = "a rank of 0 is no adapter; leave the method out"

    method: Literal["lora"] = Field(description="names the method")
    rank: int = Field(16, ge=1, description="rank of each update")
    alpha: float = Field(16.0, gt=0, description="updates are scaled by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of inputs of the update that are dropped")
    layers: tuple[str, ...] | Literal["all-linear"] = Field("all-linear", description="names of the adapted layers")


MethodSpec = Annotated[GradientSurgery | LowRankAdaptation, Field(discriminator="method")]
