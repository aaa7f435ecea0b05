"""Where methods act among others, and what they may need: the words that every method's spec uses."""

from enum import IntEnum
from typing import Literal

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
