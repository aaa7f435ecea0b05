"""What a policy may ask to be measured beside the scores: exposure of canaries, agreement over samples, serving cost.

All of it is off unless a policy asks: each costs answers or likelihoods of base and candidate.
"""

from typing import Annotated

from pydantic import Field, model_validator

from safety_assets.settings import Settings

Ratio = Annotated[float, Field(gt=0)]
CEILINGS = frozenset(
    {"max_bits", "max_worst_bits", *(f"max_{n}_ratio" for n in ("latency", "tokens", "memory", "size"))}
)
"""What judges a measurement and does not change it."""


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


class Agreement(Settings):
    """How often answers drawn at a temperature agree with one another. Shown, never gated."""

    questions: int = Field(64, ge=8, description="gate probes that are asked, spread over the dimensions")
    samples: int = Field(5, ge=2, le=32, description="answers to each")
    temperature: float = Field(0.7, gt=0, le=2, description="of the distribution that they are drawn from")
    seed: int = Field(0, ge=0, description="another number draws other answers")


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
