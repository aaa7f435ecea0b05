"""What a policy may ask to be measured beside the scores: exposure of canaries, consistency of verdicts, serving cost.

All of it is off unless a policy asks: each costs answers or likelihoods of base and candidate.
"""

import math
from typing import Annotated

from pydantic import Field, model_validator

from safety_assets.settings import Settings

Ratio = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
CEILINGS = frozenset({
    "max_bits", "max_worst_bits", *(f"max_{n}_ratio" for n in ("latency", "tokens", "memory", "size")),
    "min_agreement", "min_kappa", "max_drop", "floors",
})  # fmt: skip
"""What judges a measurement and does not change it."""
NUM_DIMENSIONS, Z = 8, 1.645


class Exposure(Settings):
    """Exposure of planted canaries in bits: how far up a secret stands among all that look like it (Carlini 2019)."""

    canaries: int = Field(32, ge=2, description="canaries that are ranked, spread over all")
    samples: int = Field(256, ge=64, description="look-alikes that each is ranked among; all of them where fewer exist")
    answer: str = Field("{secret}", description="the answer whose likelihood is taken, with {secret} in it")
    max_bits: float | None = Field(
        None, ge=0, description="mean exposure that the candidate may have; a secret it has not seen has 1.4 bits"
    )
    max_worst_bits: float | None = Field(
        None, ge=0, description="exposure that no canary may exceed; log2 of their number is reached by chance"
    )

    @model_validator(mode="after")
    def _holds_the_secret(self) -> "Exposure":
        if "{secret}" not in self.answer:
            raise ValueError("exposure.answer must hold {secret}")
        return self


class Consistency(Settings):
    """Whether verdicts hold over seeds and temperatures: gate probes answered greedily and drawn, by every judge."""

    per_dimension: int = Field(32, ge=8, description="gate probes of each dimension, spread over its near-duplicates")
    sample_seed: int = Field(0, description="another number draws another sample of probes")
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2), min_length=2, max_length=32, description="an answer is drawn with each, at each temperature"
    )
    temperatures: tuple[Annotated[float, Field(gt=0, le=2)], ...] = Field(
        (0.7, 1.0), min_length=1, max_length=8, description="that answers are drawn at; the greedy answer is one more"
    )
    min_agreement: Share | None = Field(
        None, description="share of items with the same verdict in every draw that the candidate must have"
    )
    min_kappa: Share | None = Field(None, description="Fleiss' kappa over the draws that the candidate must have")
    max_drop: Share | None = Field(None, description="agreement that may be lost against the base, as a share of items")
    floors: dict[str, Share] = Field({}, description="agreement that the candidate must have in single dimensions")

    @property
    def demands(self) -> bool:
        """Whether anything is demanded, and not only shown."""
        return bool(self.floors) or (self.min_agreement, self.min_kappa, self.max_drop) != (None, None, None)

    @model_validator(mode="after")
    def _can_be_certified(self) -> "Consistency":
        """A demand that the sample cannot settle is no demand, even where nothing disagrees."""
        whole = NUM_DIMENSIONS * self.per_dimension
        asked = {f"floors.{name}": (floor, self.per_dimension) for name, floor in self.floors.items()}
        if self.min_agreement is not None:
            asked["min_agreement"] = (self.min_agreement, whole)
        needed = {name: math.ceil(Z**2 * floor / (1 - floor)) for name, (floor, _) in asked.items()}
        if self.max_drop is not None:
            asked["max_drop"] = (self.max_drop, whole)
            needed["max_drop"] = math.ceil(math.log(0.05) / math.log1p(-self.max_drop))
        for name, (limit, items) in asked.items():
            if needed[name] > items:
                raise ValueError(f"consistency.{name} {limit} needs {needed[name]} items, {items} are asked")
        for name in ("seeds", "temperatures"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"consistency.{name} holds one twice")
        return self


class Serving(Settings):
    """What serving the candidate may cost, as a multiple of the base: measured side by side where a budget is set."""

    prompts: int = Field(32, ge=8, description="gate probes that are answered one by one, by turns")
    repeats: int = Field(3, ge=1, le=20, description="times that each is answered; the quickest counts")
    max_latency_ratio: Ratio | None = Field(None, description="seconds of an answer, against the base")
    max_tokens_ratio: Ratio | None = Field(None, description="tokens of an answer, against the base")
    max_memory_ratio: Ratio | None = Field(None, description="bytes of memory, against the base")
    max_size_ratio: Ratio | None = Field(None, description="bytes of the model folder, against the base")

    @property
    def budgets(self) -> dict[str, float]:
        """What is limited, and its largest ratio."""
        named = {n: getattr(self, f"max_{n}_ratio") for n in ("latency", "tokens", "memory", "size")}
        return {name: value for name, value in named.items() if value is not None}
