"""Does an endpoint serve the weights that were released? The same questions to both, and the answers compared.

A server computes in another precision and in other batches, which turns greedy answers: 13 of 96 in bf16 on a model of
6.9 M parameters, while five steps of training turned 2 of 96 on another (`python -m benchmarks.recheck`). So only
answers that all agree say "same", only very many others say "different", and between them nothing can be said.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

from safety_assets.errors import ModelError, StoreError
from safety_assets.evals.ask import ask
from safety_assets.evals.probes import read_probes
from safety_assets.evals.statistics import wilson
from safety_assets.flows.answers import Respondent
from safety_assets.flows.release import released_folder
from safety_assets.flows.targets import Served, open_target
from safety_assets.flows.workspace import Workspace
from safety_assets.records import RESPONSES
from safety_assets.served.address import Address

Outcome = Literal["same", "different", "cannot_say"]

PROMPTS = 96
"""Questions asked of both."""
NOISE = 0.2
"""Share of other answers that precision and batching are granted."""
MOST_LOST = 0.1
"""Share of lost answers from which nothing can be said."""
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Rechecked:
    """What came out.

    Args:
        outcome: same, different or cannot_say.
        why: in one sentence.
        endpoint: URL and name.
        served, released: identities of what answered there, None where nothing did, and of the released weights.
        asked, answered, equal: numbers of questions.
        examples: ids of the first probes that were answered otherwise.
    """

    outcome: Outcome
    why: str
    endpoint: str
    served: str | None
    released: str
    asked: int
    answered: int
    equal: int
    examples: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """In JSON types."""
        return {**asdict(self), "examples": list(self.examples)}


def recheck(ws: Workspace, address: Address) -> Rechecked:
    """Ask the endpoint the fingerprint questions and compare its answers with those of the released weights.

    The released weights' answers are kept, so that they are loaded once.

    Raises:
        StoreError: nothing is released, or its weights are damaged.
    """
    folder = released_folder(ws)
    if folder is None:
        raise StoreError("nothing is released", do="release an approved recipe: safety-assets run RECIPE --release")
    questions = fingerprint(read_probes(ws.project.probes).filter(pl.col("split") == "gate"))
    here, served = Respondent(ws, open_target(ws, folder)), Served(ws, address)
    found: dict[str, Any] = {"endpoint": str(address), "served": None, "released": here.digest}
    try:
        found["served"] = served.digest
        there = ask(questions, served.answerer(), max_new_tokens=ws.project.settings.max_new_tokens)
    except ModelError as error:
        none: dict[str, Any] = {"asked": questions.height, "answered": 0, "equal": 0, "examples": ()}
        return Rechecked(outcome="cannot_say", why=str(error), **found, **none)
    return Rechecked(**found, **compared(here.probes(questions), there))


def fingerprint(probes: pl.DataFrame) -> pl.DataFrame:
    """Questions spread evenly over the probes that are answered in words."""
    spoken = probes.filter(pl.col("choices").list.len() == 0).sort("dimension", "probe_id")
    return spoken.gather_every(max(1, spoken.height // PROMPTS)).head(PROMPTS)


def compared(own: pl.DataFrame, there: pl.DataFrame) -> Mapping[str, Any]:
    """Numbers, outcome and why of two RESPONSES to the same questions."""
    both = RESPONSES.check(own).join(RESPONSES.check(there), on=("probe_id", "sample"), maintain_order="left")
    answered = both.filter(pl.col("completion").is_not_null() & pl.col("completion_right").is_not_null())
    other = answered.filter(pl.col("completion") != pl.col("completion_right"))
    outcome, why = judged(own.height, answered.height, other.height)
    lost = there["failure"].drop_nulls()
    return {
        "outcome": outcome, "why": f"{why} First reason: {lost[0]}" if len(lost) else why, "asked": own.height,
        "answered": answered.height, "equal": answered.height - other.height,
        "examples": tuple(other["probe_id"].head(SHOWN)),
    }  # fmt: skip


def judged(asked: int, answered: int, other: int) -> tuple[Outcome, str]:
    """What so many other answers mean."""
    if not asked or asked - answered > MOST_LOST * asked:
        return "cannot_say", f"{asked - answered} of {asked} questions got no answer."
    said = f"{other} of {answered} answers differ from those of the released weights"
    if not other:
        return "same", f"{said}."
    if wilson(float(other), answered)[0] > NOISE:
        return "different", f"{said}: other weights, another template or system prompt, or a filter answer there."
    return "cannot_say", f"{said}: another precision can do that, and a little training too."
