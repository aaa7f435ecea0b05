"""What a recipe may say of each method: one class per method, light, with the knobs and their domain.

Each class also says where the method acts among others, which class carries it out, what it needs, with which knobs it
does nothing, whether its strength follows the safety weight that a monitor may raise (`weighted`), and whether it keeps
something per parameter, so that the parameters must stay the same to the end (`per_parameter`).
The union at the end is what a recipe's `methods` may hold.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from safety_assets.keeping_specs import (
    EWC,
    PACT,
    ConstrainedTokens,
    DynamicShaping,
    KLToReference,
    Replay,
    SafetyRecovery,
    TokenWeights,
)
from safety_assets.method_places import Need, Origin, Place
from safety_assets.settings import Settings
from safety_assets.shaping_specs import (
    HalfSpace,
    LayerFreezing,
    NeuronMask,
    SafetyProbing,
    VulnerabilityAware,
    WeightAverage,
)


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
    scope: Literal["global", "per_tensor", "low_rank"] = Field(
        "global", description="where conflict is looked for: all tensors together, each alone, or SPF's components"
    )
    rank: int = Field(20, ge=1, description="singular components of each matrix's safety gradient, for low_rank")
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
    quantise: Literal["4bit"] | None = Field(
        None, description="hold the base in 4 bits while training (QLoRA; CUDA); what is served is in full precision"
    )

    def added(self, rows: int, columns: int) -> int:
        """Values that are trained for one matrix."""
        return self.rank * (rows + columns)


class Bottleneck(Settings):
    """PEANuT: train a nonlinear function of each weight, merged at the end (methods/bottleneck.py)."""

    place: ClassVar[Place] = Place.WRAP
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = True
    carried_out_by: ClassVar[str] = "safety_assets.methods.bottleneck:Bottleneck"
    needs: ClassVar[frozenset[Need]] = frozenset()
    neutral: ClassVar[Mapping[str, object] | str] = "a rank of 0 is no bottleneck; leave the method out"

    method: Literal["bottleneck"] = Field(description="names the method")
    rank: int = Field(32, ge=1, description="width of the bottleneck")
    depth: int = Field(0, ge=0, description="square layers on each side of its middle")
    activation: Literal["relu", "gelu", "silu", "tanh"] = Field("relu", description="the nonlinearity")
    scale: float = Field(1.0, gt=0, description="what the update is multiplied by")
    layers: tuple[str, ...] | Literal["all-linear"] = Field("all-linear", description="names of the adapted layers")

    def added(self, rows: int, columns: int) -> int:
        """Values that are trained for one matrix of `rows` outputs."""
        return 2 * self.rank * rows + 2 * self.depth * self.rank**2


Adapter = LowRankAdaptation | Bottleneck
"""Methods that freeze the base and train what they put beside it."""

MethodSpec = Annotated[
    GradientSurgery
    | LowRankAdaptation
    | Bottleneck
    | LayerFreezing
    | NeuronMask
    | HalfSpace
    | WeightAverage
    | SafetyProbing
    | VulnerabilityAware
    | Replay
    | KLToReference
    | EWC
    | ConstrainedTokens
    | PACT
    | DynamicShaping
    | TokenWeights
    | SafetyRecovery,
    Field(discriminator="method"),
]
