"""Probes as the last turn of the application's own conversations, under its own system message: seeded.

Fine-tuning teaches what an answer looks like in the conversations of the task. A behaviour that stands when it is asked
out of the blue may be gone there.
"""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals.slices import IN_DOMAIN, SEEN
from safety_assets.records import PROBES, TASKS

Chat = list[dict[str, str]]


def in_domain(
    probes: pl.DataFrame, tasks: pl.DataFrame, *, system: str | None = None, exchanges: int = 1, seed: int = 0
) -> pl.DataFrame:
    """Every probe of slice seen behind conversations of the task set that were answered as the set wants.

    Probes of one group stand behind the same conversations, so that members of a pair differ in what they ask alone.
    A probe that brings a system message of its own has it after the application's.

    Args:
        probes: PROBES.
        tasks: TASKS; those with an answer are drawn from.
        system: the application's system message; that of the first drawn conversation when absent.
        exchanges: how many conversations stand before the probe, at least 1.
        seed: of the draw.

    Returns:
        PROBES of slice in_domain in the order of `probes`, with ids and pairs of their own and the groups of their
        sources.

    Raises:
        EvaluationError: the task set has fewer answered conversations than that.
    """
    known = [row for row in TASKS.check(tasks).to_dicts() if (row["answer"] or "").strip() and row["messages"]]
    if not 1 <= exchanges <= len(known):
        raise EvaluationError(
            f"{exchanges} conversations are wanted before each probe, the task set has {len(known)} answered ones",
            expected="from 1 to as many as there are",
            do="give a larger task set or ask for fewer",
        )
    asked = PROBES.check(probes).filter(pl.col("slice") == SEEN).to_dicts()
    return PROBES.frame([_probe(row, _drawn(known, exchanges, seed, row["group"]), system) for row in asked])


def _drawn(known: Sequence[dict[str, Any]], exchanges: int, seed: int, group: str) -> list[dict[str, Any]]:
    return random.Random(f"{seed} {group}").sample(known, exchanges)


def _probe(row: dict[str, Any], tasks: Sequence[dict[str, Any]], system: str | None) -> dict[str, Any]:
    own, told = _apart(row["messages"])
    systems = [_apart(task["messages"]) for task in tasks]
    before = [t for (_, turns), task in zip(systems, tasks, strict=True) for t in (*turns, _answered(task))]
    said = [text for text in (systems[0][0] if system is None else system, own) if text]
    chat = [{"role": "system", "content": "\n\n".join(said)}] if said else []
    chat += [*before, *told]
    key = hashlib.sha256(json.dumps([row["probe_id"], IN_DOMAIN, chat]).encode()).hexdigest()[:16]
    pair = f"{row['pair']}:{IN_DOMAIN}" if row["pair"] else None
    return {**row, "probe_id": key, "slice": IN_DOMAIN, "pair": pair, "messages": chat}


def _apart(messages: Sequence[Mapping[str, str]]) -> tuple[str, Chat]:
    """The system message of a chat, empty where there is none, and its other turns."""
    turns = [{"role": m["role"], "content": m["content"]} for m in messages]
    system = turns[0]["content"] if turns[0]["role"] == "system" else ""
    return system, turns[1:] if turns[0]["role"] == "system" else turns


def _answered(task: Mapping[str, Any]) -> dict[str, str]:
    return {"role": "assistant", "content": str(task["answer"])}
