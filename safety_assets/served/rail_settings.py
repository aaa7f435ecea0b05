"""What RAIL Score is asked, how fast, and what that costs. In project.yaml: `rail`."""

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from safety_assets.policy import DIMENSIONS
from safety_assets.settings import Settings

KEY_VARIABLE = "RAIL_API_KEY"
"""Environment variable of the key; it stands in no file."""
SHORTEST, LONGEST = 10, 10_000
"""Characters that an answer may have, by RAIL's documentation."""
CREDITS_ALL, CREDITS_ONE, CREDITS_DEEP = 1.0, 0.2, 3.0
"""Credits of one answer by RAIL's price list: basic in all dimensions, basic in one, deep."""


class RailSettings(Settings):
    """RAIL Score as a judge."""

    base_url: str = Field("https://api.responsibleailabs.ai", pattern=r"^https?://", description="where RAIL is")
    mode: Literal["basic", "deep"] = Field("basic", description="deep explains each dimension and costs three times")
    dimensions: tuple[str, ...] = Field(DIMENSIONS, min_length=1, description="dimensions that are scored")
    domain: Literal["general", "healthcare", "finance", "legal", "education", "code"] = Field(
        "general", description="what the answers are about"
    )
    usecase: Literal["general", "chatbot", "content_generation", "summarization", "translation", "code_generation"] = (
        Field("chatbot", description="what the answers are for")
    )
    per_minute: float = Field(10.0, gt=0, description="requests a minute of your plan: free 10, pro 60, business 300")

    @field_validator("dimensions")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(names) - set(DIMENSIONS))
        if unknown or len(set(names)) < len(names):
            raise ValueError(f"{', '.join(unknown) or 'a dimension that stands twice'} is none of the eight dimensions")
        return names

    def cost(self, answers: int) -> "Cost":
        """What so many answers cost."""
        basic = min(CREDITS_ALL, CREDITS_ONE * len(self.dimensions))
        each = CREDITS_DEEP if self.mode == "deep" else basic
        return Cost(answers, round(answers * each, 1), math.ceil(answers / self.per_minute))


@dataclass(frozen=True)
class Cost:
    """What judging costs before it begins.

    Args:
        requests: answers that are sent.
        credits: by the price list; the plan's account is charged.
        minutes: at least, at the plan's pace.
    """

    requests: int
    credits: float
    minutes: int
