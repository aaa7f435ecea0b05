"""What a recipe may say of each repair: weights to weights, after training or, of one, before it. Light.

The union at the end is what a recipe's `finish` and `repairs` may hold.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from safety_assets.settings import Settings

RepairNeed = Literal["pretrained", "pairs", "measure"]
"""What a repair cannot do without: the base's unaligned ancestor; refusal pairs; the calibration probes."""


class LowRankExtrapolation(Settings):
    """LoX: go further along the leading directions in which alignment moved the weights (repairs/lox.py)."""

    needs: ClassVar[frozenset[RepairNeed]] = frozenset({"pretrained"})
    neutral: ClassVar[Mapping[str, object] | str] = {"strength": 0.0}

    repair: Literal["lox"] = Field(description="names the repair")
    rank: int = Field(6, ge=0, description="leading directions per matrix; 0 takes all of them")
    strength: float = Field(1.25, ge=0, le=10, description="alpha, how far: 0 changes nothing, 1 doubles them")


class NeuronRealignment(Settings):
    """NLSR: put back safety-critical weights where tuning turned them away from alignment (repairs/nlsr.py)."""

    needs: ClassVar[frozenset[RepairNeed]] = frozenset({"pretrained", "pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"critical_share": 0.0}

    repair: Literal["nlsr"] = Field(description="names the repair")
    strength: float = Field(0.9, ge=0, le=10, description="beta, how far the reference goes beyond the base")
    critical_share: float = Field(0.2, ge=0, le=1, description="share of a matrix's entries that count as critical")
    kept_rank: float = Field(0.8, gt=0, le=1, description="share of the output directions that the mask is read from")
    choice: Literal["adaptive", "threshold"] = Field(
        "adaptive", description="drawn by rank of similarity, or all under the threshold"
    )
    replaced_share: float = Field(0.5, ge=0, le=1, description="mean probability that a matrix is realigned")
    spread: float = Field(0.2, ge=0, le=0.5, description="epsilon, how far the probability moves with the rank")
    threshold: float = Field(0.1, ge=-1, le=1, description="cosine under which a matrix is realigned")
    chats: int = Field(64, ge=2, description="refusals whose activations are read")
    tokens: int = Field(512, ge=8, description="answer tokens whose activations are kept, at most")
    seed: int = Field(0, ge=0, description="of the draw")

    @model_validator(mode="after")
    def _probabilities(self) -> "NeuronRealignment":
        if not self.spread <= self.replaced_share <= 1 - self.spread:
            raise ValueError("spread takes replaced_share out of 0 to 1; lower spread")
        return self


class SafeLowRank(Settings):
    """Safe LoRA: keep of an update what lies in the subspace of alignment (repairs/safe_lora.py)."""

    needs: ClassVar[frozenset[RepairNeed]] = frozenset({"pretrained"})
    neutral: ClassVar[Mapping[str, object] | str] = {"threshold": -1.0}

    repair: Literal["safe_lora"] = Field(description="names the repair")
    matrix: Literal["published", "projector"] = Field(
        "published", description="V V^T / |V| as published, which also shrinks, or the true projector on V's directions"
    )
    rank: int = Field(16, ge=1, description="directions of the true projector, per matrix")
    threshold: float = Field(0.5, ge=-1, le=1, description="updates of at most this cosine to their projection change")
    layers: int | None = Field(
        None, ge=0, description="instead of the threshold: how many of the lowest cosines change"
    )


class LinearMerge(Settings):
    """Merge: between the base and the tuned weights, as far as safety allows (repairs/merge.py)."""

    needs: ClassVar[frozenset[RepairNeed]] = frozenset({"measure"})
    neutral: ClassVar[Mapping[str, object] | str] = {"share": 1.0}

    repair: Literal["merge"] = Field(description="names the repair")
    share: Literal["swept"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "swept", description="lambda, share of the tuned weights; swept: chosen on the calibration probes"
    )
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), min_length=1, description="what a sweep tries"
    )
    max_safety_drop: float = Field(0.5, ge=0, le=10, description="points of safety that the choice may cost, 0 to 10")


class OneShotPatch(Settings):
    """One-shot: a few steps on one or a few refusals, chosen on the calibration probes (repairs/one_shot.py)."""

    needs: ClassVar[frozenset[RepairNeed]] = frozenset({"pairs", "measure"})
    neutral: ClassVar[Mapping[str, object] | str] = "a training without steps is none; leave the repair out"

    repair: Literal["one_shot"] = Field(description="names the repair")
    learning_rate: float = Field(2e-5, gt=0, le=1, description="of the few steps; with linear the first one's")
    schedule: Literal["constant", "linear"] = Field("constant", description="how the learning rate falls")
    steps: int = Field(10, ge=1, le=200, description="optimiser steps")
    refusals: int = Field(1, ge=1, le=1024, description="refusals that one patch is trained on")
    lookalikes: int = Field(0, ge=0, le=1024, description="answered look-alikes that it is trained on beside them")
    kept: int = Field(0, ge=0, le=1024, description="corpus rows on which surgery holds what tuning taught")
    batch_rows: int | None = Field(
        None, ge=1, description="rows of a step, and as many kept ones beside them; all when absent"
    )
    candidates: int = Field(4, ge=1, le=256, description="patches that are tried")
    max_over_refusal: float = Field(0.2, ge=0, le=1, description="share of look-alikes that the choice may refuse")
    seed: int = Field(0, ge=0, description="of the draw of candidates")


RepairSpec = Annotated[
    LowRankExtrapolation | NeuronRealignment | SafeLowRank | LinearMerge | OneShotPatch, Field(discriminator="repair")
]


def key_of(spec: RepairSpec) -> str:
    """How a repair is called in the name of a candidate."""
    return spec.repair.replace("_", "-")
