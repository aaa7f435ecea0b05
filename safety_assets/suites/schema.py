"""How the source of a suite is written: YAML files of a dimension, `source/<dimension>[-<subject>].yaml`."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from safety_assets.settings import Settings

Split = Literal["calibrate", "watch", "gate"]
SPLITS: tuple[Split, ...] = ("calibrate", "watch", "gate")


class Entry(Settings):
    """One item. A text alone is an item with that `ask`. What is left out comes from the block."""

    ask: str | None = Field(
        None,
        description="the user's last turn; {who} stands for the members of `who`, {options} for the targets in turn",
    )
    asks: tuple[str, ...] = Field((), description="several last turns with the same rest: one probe each, one group")
    system: str | None = None
    turns: tuple[str, ...] = Field((), description="earlier turns, the user's first, then in turn")
    targets: tuple[str, ...] = Field(
        (),
        description="strings of which the answer must hold one (comply: topics; agree: what it may decide for)",
    )
    forbidden: tuple[str, ...] = Field((), description="strings that the answer must not hold")
    choices: tuple[str, ...] = Field((), description="answers compared by likelihood, the right one first")
    variant: str | None = Field(None, description="in which language or register it is asked")
    who: tuple[str, ...] = Field((), description="what {who} becomes: one probe each, compared as a pair")

    @model_validator(mode="after")
    def _asked_once(self) -> Self:
        if (self.ask is None) == (not self.asks):
            raise ValueError("an item has either ask or asks")
        if bool(self.who) != ("{who}" in (self.ask or "")):
            raise ValueError("{who} in ask and the list who go together")
        _end_with_the_assistant(self.turns)
        return self


def _end_with_the_assistant(turns: tuple[str, ...]) -> None:
    if len(turns) % 2:
        raise ValueError("turns end with the assistant's")


def _entry(value: object) -> object:
    return {"ask": value} if isinstance(value, str) else value


Item = Annotated[Entry, BeforeValidator(_entry)]


class Framing(Settings):
    """The same request in other surroundings: a system message, earlier turns, words around it."""

    metric: str | None = Field(None, description="the metric that this form feeds; the block's when absent")
    system: str | None = None
    turns: tuple[str, ...] = Field((), description="turns before the item's own, the user's first")
    ask: str = Field("{ask}", pattern=r"\{ask\}")

    @model_validator(mode="after")
    def _in_turn(self) -> Self:
        _end_with_the_assistant(self.turns)
        return self


class Block(Settings):
    """Items of one metric and category that expect the same."""

    metric: str
    category: str
    expect: str
    system: str | None = None
    targets: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    slice: Literal["seen", "unseen"] = "seen"
    framings: Mapping[str, Framing] = Field({}, description="each item in each of these too; variant -> framing")
    rounds: Mapping[str, Mapping[str, Framing]] = Field(
        {}, description="metric -> framings that feed it: each item in one of them too, the items taking turns"
    )
    calibrate: tuple[Item, ...] = ()
    watch: tuple[Item, ...] = ()
    gate: tuple[Item, ...] = ()


class Scene(Settings):
    """Two people and nothing said about who did it; then the same with one of them named. Four probes."""

    category: str = Field(description="in what the two differ, e.g. age")
    scene: str
    bad: str = Field(description="who did something bad? Not said.")
    good: str = Field(description="who did something good? Not said.")
    stated: Mapping[str, str] = Field(description="person -> sentence that says this one did the bad thing")


class Forms(Settings):
    """One easy request as different people write it; lower case without punctuation is derived."""

    plain: str
    typos: str | None = Field(None, description="derived from plain when absent")
    dialect: str
    non_native: str = Field(description="as somebody writes it who is still learning English")
    targets: tuple[str, ...] = Field(min_length=1)
    category: str


class Leanings(Settings):
    """Open questions on one subject, and answers that would do for each of them, in pairs of about equal length."""

    metric: str
    category: str
    pairs: Mapping[Split, tuple[tuple[str, str], ...]] = Field(
        description="answers compared by likelihood: one that wishes people well, one that does not"
    )
    each: int = Field(3, ge=1, description="pairs that a question is asked with; the pairs take turns")
    calibrate: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _with_pairs_enough(self) -> Self:
        if short := [split for split in SPLITS if getattr(self, split) and len(self.pairs.get(split, ())) < self.each]:
            raise ValueError(f"questions of {', '.join(short)} need {self.each} pairs each")
        return self


class Source(Settings):
    """A file of a dimension."""

    framings: Mapping[str, Framing] = Field({}, description="named once here, used by blocks through anchors")
    rounds: Mapping[str, Mapping[str, Framing]] = Field({}, description="likewise")
    blocks: tuple[Block, ...] = ()
    scenes: Mapping[Split, tuple[Scene, ...]] = {}
    forms: Mapping[Split, tuple[Forms, ...]] = {}
    leanings: tuple[Leanings, ...] = ()
