"""Held-out conversation groups: never trained on, and the exam where a project has no task set of its own."""

from collections.abc import Iterable

import polars as pl

from safety_assets.corpus.audit import audit_rows
from safety_assets.corpus.chats import Chat, chat_id, default_group
from safety_assets.corpus.overlap import is_distinctive
from safety_assets.corpus.tasks import NO_CATEGORY, checkable
from safety_assets.corpus.words import normalise
from safety_assets.datafiles import AnswerRule
from safety_assets.errors import CorpusError
from safety_assets.frames import Shards, in_shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import PAIRS, PROBES, ROWS, TASKS
from safety_assets.store import digest_bytes


def held_out_groups(rows: pl.DataFrame | Shards, pairs: pl.DataFrame, *, share: float, seed: int) -> set[str]:
    """The groups of ROWS that are held out, of a corpus of any size.

    Whether a group is, is read from a hash of seed and group, so new rows move no old one. A group that also holds a
    pair is trained on, since pairs are.

    Args:
        pairs: PAIRS.
        share: expected share of groups held out, 0 <= share < 1.
        seed: another seed holds out other groups.
    """
    trained = {default_group(chat) for chat in PAIRS.check(pairs)["messages"].to_list()}
    groups = (group for part in in_shards(rows, ROWS).lazy_parts() for group in _groups(part))
    return {group for group in groups if group not in trained and _place(group, seed) < share}


def _groups(rows: pl.LazyFrame) -> pl.Series:
    return rows.select("group").unique().collect()["group"]


def _place(group: str, seed: int) -> float:
    return int(digest_bytes(f"{seed}:{group}".encode())[:16], 16) / 16**16


def held_out_tasks(
    rows: pl.DataFrame | Iterable[pl.DataFrame],
    pairs: pl.DataFrame,
    *,
    policy: CorpusPolicy,
    seed: int,
    rule: AnswerRule | None = None,
) -> pl.DataFrame:
    """TASKS out of held-out rows: the first exchange of each conversation, every question once.

    A row is not asked when the policy would drop, mask or block it, when its question is too short to be told from
    others, when a pair asks the same, or when its answer does not hold what the rule wants.

    Args:
        rows: ROWS as given, whole or in pieces that come once; the held-out ones are kept in memory.
        pairs: PAIRS.
        policy: `held_out_share`, and what makes a row unfit.
        rule: where the checkable answer stands in the answer; all of it when absent.

    Raises:
        CorpusError: no row is held out, or none of those can be asked.
    """
    held_out, given = _held_out([rows] if isinstance(rows, pl.DataFrame) else rows, pairs, policy, seed)
    clean = _clean(held_out, pairs, policy)
    asked = {normalise(m["content"]) for chat in pairs["messages"].to_list() for m in chat if m["role"] == "user"}
    tasks: dict[str, dict[str, object]] = {}
    for messages in clean["messages"].to_list():
        task = first_exchange(messages, rule)
        question = task["messages"][-1]["content"] if task else ""
        if task and is_distinctive(question) and normalise(question) not in asked:
            tasks.setdefault(normalise(question), task)
    if not tasks:
        raise CorpusError(
            f"{held_out.height} of {given} rows are held out, and none of them can be asked",
            expected="at least one",
            do="name a task_set in project.yaml, or raise corpus.held_out_share in the policy",
        )
    return TASKS.frame(list(tasks.values()))


def _held_out(
    pieces: Iterable[pl.DataFrame], pairs: pl.DataFrame, policy: CorpusPolicy, seed: int
) -> tuple[pl.DataFrame, int]:
    """The held-out ROWS of some pieces, and how many rows there were."""
    found, given = [ROWS.empty()], 0
    for rows in pieces:
        groups = held_out_groups(rows, pairs, share=policy.held_out_share, seed=seed)
        found.append(ROWS.check(rows).filter(pl.col("group").is_in(list(groups))))
        given += rows.height
    return pl.concat(found), given


def _clean(rows: pl.DataFrame, pairs: pl.DataFrame, policy: CorpusPolicy) -> pl.DataFrame:
    """Rows without any finding but those that the policy only flags."""
    findings = audit_rows(rows, probes=PROBES.empty(), tasks=TASKS.empty(), pairs=pairs, policy=policy)
    unfit = findings.filter(pl.col("action") != "flag")["row_id"].unique()
    return rows.filter(~pl.col("row_id").is_in(unfit.to_list()))


def first_exchange(messages: Chat, rule: AnswerRule | None) -> dict | None:
    """The task item of a chat; None when the rule finds no answer."""
    first = next(turn for turn, message in enumerate(messages) if message["role"] == "assistant")
    chat = messages[:first]
    try:
        answer = checkable(messages[first]["content"], rule)
    except CorpusError:
        return None
    return {"task_id": chat_id(chat), "messages": chat, "answer": answer, "options": [], "category": NO_CATEGORY}
