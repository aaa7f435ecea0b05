"""What a recipe may say of methods that shape weights and gradients: frozen parts, projections, averages, probes."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from safety_assets.method_places import Need, Origin, Place
from safety_assets.settings import Settings


class LayerFreezing(Settings):
    """SPPFT: the safety layers' attention and MLP are not trained (methods/layer_freezing.py)."""

    place: ClassVar[Place] = Place.FREEZE
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.layer_freezing:LayerFreezing"
    needs: ClassVar[frozenset[Need]] = frozenset()
    neutral: ClassVar[Mapping[str, object] | str] = {"layers": ()}

    method: Literal["layer_freezing"] = Field(description="names the method")
    layers: tuple[int, ...] | Literal["anatomy", "middle"] = Field(
        "anatomy", description="0-based layers; those of safety_anatomy, the middle where it names none; the middle"
    )
    middle: tuple[float, float] = Field((0.375, 0.625), description="first and end of the middle, shares of the depth")


class NeuronMask(Settings):
    """The MLP neurons that refusals rest on are not trained (methods/neuron_mask.py)."""

    place: ClassVar[Place] = Place.WRAP
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = True
    carried_out_by: ClassVar[str] = "safety_assets.methods.neuron_mask:NeuronMask"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"share": 0.0}

    method: Literal["neuron_mask"] = Field(description="names the method")
    share: float = Field(0.05, ge=0, lt=1, description="share of all MLP neurons that is held")
    rows: int = Field(256, ge=2, description="refusals, and as many look-alikes, that neurons are judged on at most")
    batch_rows: int = Field(8, ge=1, description="rows of a pass while they are judged")


class HalfSpace(Settings):
    """SPAG: after each step the weights go back to where the safety loss is the base's (methods/half_space.py)."""

    place: ClassVar[Place] = Place.PROJECT
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.half_space:HalfSpace"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"reach": 0.0}

    method: Literal["half_space"] = Field(description="names the method")
    margin: float = Field(1.0, ge=0, description="tau, the safety loss that is allowed, in units of the base's")
    reach: float = Field(1.0, ge=0, description="most that the safety gradient counts, in units of the learning rate")
    every: int = Field(1, ge=1, description="optimiser steps between two looks at the safety loss")
    batch_rows: int = Field(8, ge=1, description="rows of a safety batch")
    origins: tuple[Origin, ...] = Field(("refusal",), min_length=1, description="pairs whose loss is held")


class WeightAverage(Settings):
    """An exponential moving average of the weights that starts at the base (methods/weight_average.py)."""

    place: ClassVar[Place] = Place.AVERAGE
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = True
    carried_out_by: ClassVar[str] = "safety_assets.methods.weight_average:WeightAverage"
    needs: ClassVar[frozenset[Need]] = frozenset()
    neutral: ClassVar[Mapping[str, object] | str] = {"decay": 0.0}

    method: Literal["weight_average"] = Field(description="names the method")
    mode: Literal["shadow", "write_back"] = Field(
        "shadow", description="the average is only exported, or also written back into the weights in training"
    )
    retention: float = Field(0.1, gt=0, le=1, description="weight of the base in the shadow at the end of the run")
    decay: float | None = Field(None, ge=0, le=1, description="eta, kept of the average at a step; replaces retention")
    every: int = Field(1, ge=1, description="optimiser steps between two write-backs")


class SafetyProbing(Settings):
    """SAP: train beside probes under which harm does not help the task (methods/safety_probing.py)."""

    place: ClassVar[Place] = Place.DISPLACE
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.safety_probing:SafetyProbing"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs", "harmful"})
    neutral: ClassVar[Mapping[str, object] | str] = {"probe_rate": 0.0}

    method: Literal["safety_probing"] = Field(description="names the method")
    layers: tuple[int, ...] = Field((3, 9), min_length=1, description="0-based layers whose MLP output has a probe")
    epsilon: float = Field(2e-5, ge=0, description="displacement towards harm, in lengths of the trained weights")
    probe_rate: float = Field(0.05, ge=0, description="learning rate of the probes; 0 leaves them 0")
    batch_rows: int = Field(8, ge=1, description="pairs of refusal and harmful answer in a contrastive batch")


class VulnerabilityAware(Settings):
    """VAA: safety gradients of the rows that training forgets first (methods/vulnerability_aware.py)."""

    place: ClassVar[Place] = Place.ADD
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.vulnerability_aware:VulnerabilityAware"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"strength": 0.0}

    method: Literal["vulnerability_aware"] = Field(description="names the method")
    strength: float = Field(1.0, ge=0, description="weight of the safety gradient that is added")
    every: int = Field(1, ge=1, description="optimiser steps between two safety batches")
    batch_rows: int = Field(8, ge=1, description="rows of a safety batch")
    origins: tuple[Origin, ...] = Field(("refusal",), min_length=1, description="pairs that are grouped")
    share: float = Field(0.5, gt=0, lt=1, description="share of the rows that counts as vulnerable")
    proxy_steps: int = Field(3, ge=1, description="task steps after which forgetting is measured, before training")
    proxy_length: float = Field(0.1, gt=0, description="length of a proxy step in the space of the trained weights")
    rho: float = Field(0.4, ge=0, description="length of the ascent before the gradient is taken; 0 takes it in place")
    displaced: Literal["rising", "always"] = Field(
        "rising", description="how often the gradient is taken displaced: from never to always over the run, or always"
    )
    sampler_rate: float = Field(0.007, ge=0, description="eta, how fast the sampler turns to the group that loses more")
