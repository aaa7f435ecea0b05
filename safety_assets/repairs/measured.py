"""What a repair that chooses among candidates is told of each: figures on the calibration probes, never the gate's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One model on the calibration probes and on rows of the corpus.

    Args:
        safety: 0 to 10; None where it could not be scored.
        over_refusal: share of look-alikes refused; None where none was scored.
        task_loss: mean loss of the corpus's answers, nats per token; None without rows.
    """

    safety: float | None
    over_refusal: float | None
    task_loss: float | None


Measure = Callable[[Path], Measured]
"""A model folder to its figures."""
