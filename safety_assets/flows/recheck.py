"""Does an endpoint serve the weights that were released? The same questions to both, and the answers compared.

A server computes in another precision and in other batches, which turns greedy answers: 9 of 96 in bf16 on a model of
6.9 M parameters, while five steps of training turned 2 of 96 on another (`python -m benchmarks.recheck`). So only
answers that all agree say "same", only very many others say "different", and between them nothing can be said. Where
the endpoint tells the log-probabilities of a prompt, it also says how likely the released answers are to what answers
there: a finer sign, which decides where the policy limits it (`max_nats_apart`), since the limit depends on the
precision that the model is served in.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from safety_assets.errors import ModelError
from safety_assets.evals.ask import ask
from safety_assets.evals.statistics import wilson
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.fingerprints import LIKELIHOODS, asked_with, make_fingerprint
from safety_assets.flows.release import demand_released
from safety_assets.flows.targets import Served
from safety_assets.flows.workspace import Workspace
from safety_assets.records import PROBES, RESPONSES
from safety_assets.served.address import Address
from safety_assets.store import Artefact, digest_json, write_json

ASSET = "served_recheck"
Outcome = Literal["same", "different", "cannot_say"]

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
        nats_apart: mean absolute difference of the log-probabilities of the released answers, nats per token; None
            where the endpoint tells none.
        compared_nats: answers that it rests on.
        at: when, ISO time in UTC.
        fingerprint: digest of the fingerprint that was held against it.
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
    nats_apart: float | None = None
    compared_nats: int = 0
    at: str = ""
    fingerprint: str = ""

    def document(self) -> dict[str, Any]:
        """In JSON types."""
        return {**asdict(self), "examples": list(self.examples)}


def recheck(ws: Workspace, address: Address) -> Rechecked:
    """Ask the endpoint the questions of the release's fingerprint, compare, and record what came out.

    The fingerprint is the one that stands in the record of the release; a release without one gets it now. Every
    recheck is recorded as an artefact `served_recheck` of its endpoint, also where nothing could be said.

    Raises:
        StoreError: nothing is released, its weights are damaged, or its fingerprint is.
    """
    own = _fingerprint(ws)
    questions, answers = own.frame("questions", PROBES), own.frame("answers", RESPONSES)
    served = Served(ws, address)
    found: dict[str, Any] = {
        "endpoint": str(address), "served": None, "released": own.manifest.inputs["model"],
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "fingerprint": own.digest,
    }  # fmt: skip
    try:
        found["served"] = served.digest
        there = ask(questions, served.answerer(), max_new_tokens=ws.project.settings.max_new_tokens)
        said = {**compared(answers, there), **_likelihoods(own, served)}
        said |= limited(said, own.frame("likelihoods", LIKELIHOODS).height, ws.policy.max_nats_apart)
    except ModelError as error:
        said = {"asked": questions.height, "answered": 0, "equal": 0, "examples": (), "outcome": "cannot_say"}
        said["why"] = str(error)
    return _recorded(ws, Rechecked(**found, **said))


def _fingerprint(ws: Workspace) -> Artefact:
    """The fingerprint of what is released, whole."""
    folder, record = demand_released(ws)
    named = record["release"].get("fingerprint")
    found = ws.store.open(named) if named else make_fingerprint(ws, folder)
    found.verify()
    return found


def _likelihoods(own: Artefact, served: Served) -> dict[str, Any]:
    """How far the likelihoods of the released answers are apart; nothing where the endpoint tells none."""
    chats, texts, ids = asked_with(own.frame("questions", PROBES), own.frame("answers", RESPONSES))
    known = dict(own.frame("likelihoods", LIKELIHOODS).iter_rows())
    told = zip(ids, served.answerer().choice_logprobs(chats, texts), strict=True)
    gaps = [abs(one[0] - known[probe]) for probe, one in told if isinstance(one, list) and probe in known]
    return {"nats_apart": sum(gaps) / len(gaps) if gaps else None, "compared_nats": len(gaps)}


def _recorded(ws: Workspace, found: Rechecked) -> Rechecked:
    """Keep the result, as the latest of this endpoint."""

    def write(folder: Path) -> None:
        write_json(folder, "recheck", found.document())

    inputs = {"fingerprint": found.fingerprint}
    version = sources_version("flows.recheck", "flows.fingerprints", "served")
    partition = digest_json(found.endpoint)[:16]
    ws.store.publish(ASSET, write, partition=partition, inputs=inputs, code_version=version, run_id=ws.run_id)
    return found


def rechecks(ws: Workspace) -> list[dict[str, Any]]:
    """Every recheck that was recorded, oldest first, in JSON types."""
    return sorted((made.json("recheck") for made in ws.store.all(ASSET)), key=lambda said: said["at"])


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


def limited(said: Mapping[str, Any], known: int, most: float | None) -> Mapping[str, Any]:
    """Outcome and why under the policy's limit of `nats_apart`; nothing changes without a limit, and nothing improves.

    Args:
        said: outcome, why, `nats_apart` and `compared_nats`.
        known: answers of which the released weights' log-probability is known.
        most: the limit, nats per token.
    """
    if most is None or said["outcome"] == "different":
        return {}
    gap, compared_nats = said["nats_apart"], said["compared_nats"]
    if gap is None or not math.isfinite(gap) or known - compared_nats > MOST_LOST * known:
        told = f"it told them of {compared_nats} of {known} answers"
        return {"outcome": "cannot_say", "why": f"{said['why']} The policy limits log-probabilities, and {told}."}
    if gap > most:
        apart = f"{gap:.3g} nats per token apart, the policy allows {most:g}"
        return {"outcome": "different", "why": f"{said['why']} Log-probabilities of the released answers are {apart}."}
    return {}


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
