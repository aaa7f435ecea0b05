"""A training that waits for a person: what the monitor saw, and who let it go on.

One JSON file beside the saved state. While nobody has answered, launching the same training again repeats the question.
Light: no torch, so that a command can answer without loading it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safety_assets.errors import TrainingError
from safety_assets.store import replace_text

FILE = "paused.json"


@dataclass(frozen=True)
class Pause:
    """One pause.

    Args:
        step: optimiser steps done.
        fallen: what the monitor saw, by name.
        by: who let it go on; empty while nobody has.
        why: the reason that person gave.
    """

    step: int
    fallen: dict[str, float]
    by: str = ""
    why: str = ""

    @property
    def question(self) -> TrainingError:
        """What a person is told."""
        seen = ", ".join(f"{name} {value:.2f}" for name, value in sorted(self.fallen.items()))
        return TrainingError(
            f"training paused after step {self.step}: the monitor saw {seen}; the state is saved",
            expected="a person who has looked at the training's curves",
            do="to go on, run `safety-assets proceed RECIPE --by NAME --why REASON` and launch it again; else change "
            "the recipe",
        )


def read_pause(work: Path) -> Pause | None:
    """The last pause of the training whose state is in this folder, answered or not."""
    path = work / FILE
    return Pause(**json.loads(path.read_text())) if path.is_file() else None


def write_pause(work: Path, step: int, fallen: Mapping[str, float]) -> Pause:
    """Ask."""
    pause = Pause(step, dict(fallen))
    replace_text(work / FILE, json.dumps(asdict(pause)))
    return pause


def answer(work: Path, *, by: str, why: str) -> Pause:
    """Let the paused training go on.

    Raises:
        TrainingError: no name or reason is given.
    """
    pause = read_pause(work)
    assert pause is not None
    if not by.strip() or not why.strip():
        raise TrainingError("no name or no reason is given", expected="--by NAME --why REASON, neither empty")
    answered = Pause(pause.step, pause.fallen, by.strip(), why.strip())
    replace_text(work / FILE, json.dumps(asdict(answered)))
    return answered
