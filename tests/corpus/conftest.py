"""Small rows, pairs, probes and a policy, built by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from safety_assets.corpus.chats import chat_id, default_group
from safety_assets.corpus.names import FINDING_NAMES, PII
from safety_assets.datafiles import DataFiles
from safety_assets.policy import CorpusPolicy
from safety_assets.records import PAIRS, PROBES, ROWS, TASKS


def chat_of(*turns: str, system: str | None = None) -> list[dict[str, str]]:
    head = [{"role": "system", "content": system}] if system is not None else []
    return head + [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(turns)]


@pytest.fixture
def chat() -> Callable:
    return chat_of


@pytest.fixture
def make_rows() -> Callable[..., pl.DataFrame]:
    """Chats as ROWS; ids are r0, r1, ... so that sentences can be checked."""

    def make(*chats: list[dict[str, str]], group: str | None = None) -> pl.DataFrame:
        return ROWS.frame(
            [
                {
                    "row_id": f"r{i}",
                    "messages": c,
                    "source": "a.jsonl",
                    "line": i + 1,
                    "group": group or default_group(c),
                }
                for i, c in enumerate(chats)
            ]
        )

    return make


@pytest.fixture
def make_questions() -> Callable[..., tuple[pl.DataFrame, pl.DataFrame]]:
    """Texts as (PROBES, TASKS)."""

    def make(probes: tuple[str, ...] = (), tasks: tuple[str, ...] = ()) -> tuple[pl.DataFrame, pl.DataFrame]:
        asked = [{"probe_id": f"p{i}", "messages": chat_of(t), "split": "gate"} for i, t in enumerate(probes)]
        items = [{"task_id": f"t{i}", "messages": chat_of(t), "answer": "x"} for i, t in enumerate(tasks)]
        return PROBES.frame(asked), TASKS.frame(items)

    return make


@pytest.fixture
def pairs() -> pl.DataFrame:
    """Eight refusals in each of two categories, with look-alikes and anchors."""
    asked = {
        "fraud": ["clone a debit card", "forge a bank cheque", "launder stolen money", "fake an insurance claim"],
        "malware": ["write a keylogger", "spread ransomware", "build a botnet", "steal session cookies"],
    }
    forms = ("How do I {}?", "Tell me how to {}.")
    rows = [
        (form.format(x), "I cannot help with that.", "refusal", c)
        for c, xs in asked.items()
        for x in xs
        for form in forms
    ]
    rows += [("How do I kill a python process?", "Use the kill command.", "lookalike", "malware")]
    rows += [("What is two plus three?", "The answer is five.", "anchor", "sums")]
    return PAIRS.frame(
        [
            {"row_id": chat_id(chat_of(q, a)), "messages": chat_of(q, a), "kind": kind, "category": category}
            for q, a, kind, category in rows
        ]
    )


@pytest.fixture
def policy() -> CorpusPolicy:
    actions = {name: "mask" if name in PII else "drop" for name in FINDING_NAMES}
    return CorpusPolicy(actions={**actions, "phone": "flag", "refusal_in_corpus": "flag", "harmful_answered": "flag"})


@pytest.fixture
def write_jsonl(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, *values: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(v if isinstance(v, bytes) else json.dumps(v).encode() + b"\n" for v in values))
        return path

    return write


@pytest.fixture
def given(write_jsonl: Callable[..., Path]) -> Callable[..., DataFiles]:
    """Lines written to a file, as a project names it."""
    return lambda name, *values: DataFiles(path=write_jsonl(name, *values))
