"""The batches that a method takes at its turns: drawn once, in seeded epochs, so that a step number names its own."""

from collections.abc import Sequence

import numpy as np

from safety_assets.errors import TrainingError
from safety_assets.methods.moments import Context
from safety_assets.models.batch import Batch


class Turns:
    """Fixed batches of some origins, one at every `every`-th step; each is taken once before any is taken again.

    Args:
        context: draws the batches, and their order from the method's generator.
        origins: of the rows.
        batch_rows: rows per batch.
        every: optimiser steps between two turns.
        method: who asks; named in the error.

    Raises:
        TrainingError: there are turns but no row of these origins.
    """

    def __init__(
        self, context: Context, origins: Sequence[str], *, batch_rows: int, every: int = 1, method: str
    ) -> None:
        self._every, self._order = every, list[int]()
        self.batches: list[Batch] = []
        turns = context.steps // every
        if turns == 0:
            return
        self.batches = context.batches(origins, batch_rows)
        if not self.batches:
            raise TrainingError(
                f"{method} has no row to draw its batches from", expected=f"rows of {', '.join(origins)} in "
                "audited_corpus", do=f"add pairs or take {method} out of the recipe",
            )  # fmt: skip
        self._order = epochs(context.rng, len(self.batches), turns)

    @property
    def drawn(self) -> list[int]:
        """Which of the batches any turn takes, each once: what is kept of the base is kept of these."""
        return sorted(set(self._order))

    def at(self, step: int) -> int | None:
        """Which of the batches this step (0-based) takes; None when it is no turn."""
        if (step + 1) % self._every:
            return None
        return self._order[(step + 1) // self._every - 1]


def epochs(rng: np.random.Generator, batches: int, turns: int) -> list[int]:
    """So many places among the batches: each comes once before any comes again."""
    rounds = -(-turns // batches)
    return [int(i) for _ in range(rounds) for i in rng.permutation(batches)][:turns]
