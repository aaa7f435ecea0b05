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

Need = Literal["pairs", "harmful", "anatomy", "safety_tokens", "spans"]
"""What a method cannot do without: rows of pairs; their prompts answered by a marked placeholder; the description of
where safety lives in the base; the safety tokens in it, which take an unaligned ancestor; marks of tokens by what the
audit saw."""


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


class Replay(Settings):
    """DER and DER++: safety rows with the logits that the base gave them come back in training (methods/replay.py)."""

    place: ClassVar[Place] = Place.ADD
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.replay:DarkReplay"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"alpha": 0, "beta": 0}

    method: Literal["replay"] = Field(description="names the method")
    alpha: float = Field(0.5, ge=0, description="weight of the mean square of logits less those of the base")
    beta: float = Field(0.5, ge=0, description="weight of the cross-entropy of the same rows; 0 is DER, else DER++")
    every: int = Field(1, ge=1, description="optimiser steps between two safety batches")
    batch_rows: int = Field(8, ge=1, description="rows of a safety batch")
    origins: tuple[Origin, ...] = Field(
        ("refusal", "lookalike", "anchor"), min_length=1, description="pairs that safety batches are drawn from"
    )


class KLToReference(Settings):
    """KL divergence from the base as a term of the loss (methods/kl_to_reference.py)."""

    place: ClassVar[Place] = Place.ADD
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.kl_to_reference:KLTerm"
    needs: ClassVar[frozenset[Need]] = frozenset()
    neutral: ClassVar[Mapping[str, object] | str] = {"strength": 0, "pairs_strength": 0}

    method: Literal["kl_to_reference"] = Field(description="names the method")
    strength: float = Field(0.1, ge=0, description="weight of the divergence on the rows of a step, per nat and token")
    direction: Literal["forward", "reverse"] = Field(
        "forward", description="forward: KL(base || model); reverse: KL(model || base)"
    )
    pairs_strength: float = Field(0.0, ge=0, description="the same on batches of pairs, whether injected or not")
    every: int = Field(1, ge=1, description="optimiser steps between two batches of pairs")
    batch_rows: int = Field(8, ge=1, description="rows of a batch of pairs")
    origins: tuple[Origin, ...] = Field(
        ("refusal", "lookalike", "anchor"), min_length=1, description="pairs that these batches are drawn from"
    )


class EWC(Settings):
    """Elastic weight consolidation by the Fisher information of safety rows (methods/ewc.py)."""

    place: ClassVar[Place] = Place.ADD
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = True
    carried_out_by: ClassVar[str] = "safety_assets.methods.ewc:Consolidation"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"strength": 0}

    method: Literal["ewc"] = Field(description="names the method")
    strength: float = Field(100.0, ge=0, description="lambda, in response tokens: weight of half the quadratic form")
    rows: int = Field(128, ge=1, description="rows that the Fisher information is read from, drawn once")
    origins: tuple[Origin, ...] = Field(
        ("refusal", "lookalike", "anchor"), min_length=1, description="pairs that these rows are drawn from"
    )


class ConstrainedTokens(Settings):
    """Constrained fine-tuning: an answer's first tokens stay near the base (methods/constrained_tokens.py)."""

    place: ClassVar[Place] = Place.WEIGH
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.constrained_tokens:FirstTokens"
    needs: ClassVar[frozenset[Need]] = frozenset()
    neutral: ClassVar[Mapping[str, object] | str] = {"beta_first": 0, "beta_next": 0, "beta": 0}

    method: Literal["constrained_tokens"] = Field(description="names the method")
    beta_first: float = Field(0.5, ge=0, description="beta of an answer's first token, per nat")
    beta_next: float = Field(2.0, ge=0, description="beta of the tokens behind it, up to `length`")
    beta: float = Field(0.1, ge=0, description="beta of all later tokens")
    length: int = Field(5, ge=1, description="tokens of an answer that count as its beginning")


class PACT(Settings):
    """PACT: hold the base's preference among safety tokens on the user's own rows (methods/pact.py)."""

    place: ClassVar[Place] = Place.LOSS
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.pact:SafetyTokens"
    needs: ClassVar[frozenset[Need]] = frozenset({"safety_tokens"})
    neutral: ClassVar[Mapping[str, object] | str] = {"strength": 0}

    method: Literal["pact"] = Field(description="names the method")
    strength: float = Field(1.0, ge=0, description="lambda, weight of the term per response token, per nat")


class DynamicShaping(Settings):
    """STAR-DSS: learn what a guard finds safe, stay with the base elsewhere (methods/dynamic_shaping.py)."""

    place: ClassVar[Place] = Place.WEIGH
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.dynamic_shaping:DynamicShaper"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs"})
    neutral: ClassVar[Mapping[str, object] | str] = {"bias": -1e6}

    method: Literal["dynamic_shaping"] = Field(description="names the method")
    strength: float = Field(1.0, ge=0, description="weight of the divergence of tokens that are not safe, per nat")
    chunk: int = Field(5, ge=1, description="tokens of a chunk, which share one value")
    bias: float = Field(
        0.0, description="added to the log-odds that the base would refuse, nats; larger finds less of the rows safe"
    )
    guard: str | None = Field(
        None, description="folder of a sequence classifier with the labels safe and unsafe; the base itself when absent"
    )
    guard_identity: str | None = Field(
        None, description="digest that its files must have (methods/guards.guard_identity); any when absent"
    )


class TokenWeights(Settings):
    """Weights of tokens that refuse, hedge or protect personal data (methods/token_weights.py)."""

    place: ClassVar[Place] = Place.WEIGH
    weighted: ClassVar[bool] = False
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.token_weights:MarkedTokens"
    needs: ClassVar[frozenset[Need]] = frozenset({"spans"})
    neutral: ClassVar[Mapping[str, object] | str] = {"refusal": 1, "hedge": 1, "privacy": 1}

    method: Literal["token_weights"] = Field(description="names the method")
    refusal: float = Field(2.0, ge=0, description="what a token of a refusal counts in the loss; others count 1")
    hedge: float = Field(1.0, ge=0, description="the same of a sentence that limits what is said")
    privacy: float = Field(2.0, ge=0, description="the same of a sentence or mask that protects personal data")


class SafetyRecovery(Settings):
    """Refusals learned behind the beginning of an answer that did not refuse (methods/safety_recovery.py)."""

    place: ClassVar[Place] = Place.ADD
    weighted: ClassVar[bool] = True
    per_parameter: ClassVar[bool] = False
    carried_out_by: ClassVar[str] = "safety_assets.methods.safety_recovery:Recovery"
    needs: ClassVar[frozenset[Need]] = frozenset({"pairs", "harmful"})
    neutral: ClassVar[Mapping[str, object] | str] = {"strength": 0}

    method: Literal["safety_recovery"] = Field(description="names the method")
    strength: float = Field(0.2, ge=0, description="weight of the refusals' mean cross-entropy, per nat")
    share: float = Field(0.5, ge=0, le=1, description="share of refusals with a beginning before them")
    every: int = Field(1, ge=1, description="optimiser steps between two batches of refusals")
    batch_rows: int = Field(8, ge=1, description="rows of such a batch")


MethodSpec = Annotated[
    GradientSurgery
    | LowRankAdaptation
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
