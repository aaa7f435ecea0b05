"""An instrument: measures the base once, then the model in training every so often, and says what has fallen.

It changes nothing: the watcher puts the model into evaluation mode and back, and keeps random state and gradients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safety_assets.errors import TrainingError
from safety_assets.methods.moments import Context
from safety_assets.models.load import LoadedModel


@dataclass(frozen=True)
class Sight:
    """What an instrument sees.

    Args:
        loaded: the model in training.
        context: as a method's; its batches are whole, whatever the ranks.
        pretrained: folder of the unaligned ancestor; None where the project names none.
    """

    loaded: LoadedModel
    context: Context
    pretrained: Path | None


class Instrument:
    """One that sees nothing. Others override all three."""

    def setup(self, sight: Sight) -> None:
        """Measure the base: the weights are its own."""

    def measure(self, sight: Sight) -> dict[str, float]:
        """Series name to value, of the weights as they stand."""
        return {}

    def fallen(self, measured: Mapping[str, float]) -> dict[str, float]:
        """Those of the measured values that have crossed their limit."""
        return {}


def prompts(context: Context, origins: Sequence[str], number: int, instrument: str) -> list[list[int]]:
    """Token ids of up to so many prompts, each a row of these origins up to its last answer; always the same ones.

    Raises:
        TrainingError: fewer than four rows.
    """
    places = [i for i, row in enumerate(context.rows) if row.origin in origins]
    if len(places) < 4:
        raise TrainingError(
            f"{instrument} has {len(places)} rows of {', '.join(origins)} to look with", expected="at least 4",
            do=f"add pairs, or take {instrument} out of the recipe's instruments",
        )  # fmt: skip
    rng = np.random.default_rng(len(places))
    chosen = rng.permutation(np.asarray(places))[:number]
    return [_prompt(context.rows[i].ids.tolist(), context.rows[i].response) for i in chosen.tolist()]


def _prompt(ids: list[int], said: bytes) -> list[int]:
    """The ids before the last stretch that the assistant said."""
    end = len(said) - 1
    while end > 0 and not said[end]:
        end -= 1
    while end > 0 and said[end - 1]:
        end -= 1
    return ids[:end]


def halves(items: Sequence[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Every other one, to fit on, and the rest, to measure on."""
    return list(items[0::2]), list(items[1::2])
