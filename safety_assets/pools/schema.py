"""How the source of a pool is written: one YAML file per policy category, and files of general anchors."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from safety_assets.settings import Settings

Style = Literal["short", "reason", "alternative", "help", "hand_over", "disclaimer"]
"""How a refusal is put: no more than no; with its reason; with something else that is fine; with an offer to help the
person; sent to people who can act; with what cannot be judged, what is general, and who can judge it."""


class Pair(Settings):
    """One exchange: what is asked, at the end of earlier turns where there are some, and the answer."""

    turns: tuple[str, ...] = Field((), description="earlier turns, the user's first, then in turn")
    ask: str = Field(min_length=1, description="the user's last turn")
    say: str = Field(min_length=1, description="the answer that is to be learnt")

    @model_validator(mode="after")
    def _in_turn(self) -> Self:
        if len(self.turns) % 2:
            raise ValueError("turns end with the assistant's")
        return self


class Source(Settings):
    """One file."""

    category: str | None = Field(None, description="policy category of its refusals and look-alikes")
    refusals: Mapping[Style, tuple[Pair, ...]] = Field({}, description="harmful requests, by the style of the refusal")
    lookalikes: tuple[Pair, ...] = Field((), description="harmless requests with the same words or subject, answered")
    anchors: Mapping[str, tuple[Pair, ...]] = Field({}, description="ordinary requests by subject, answered")

    @model_validator(mode="after")
    def _of_a_category(self) -> Self:
        if bool(self.refusals or self.lookalikes) != (self.category is not None):
            raise ValueError("refusals and look-alikes need a category, and nothing else does")
        return self
