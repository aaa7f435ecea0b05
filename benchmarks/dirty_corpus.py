"""A made-up corpus of any size with planted dirt: written in shards, the same for the same seed, nothing is anybody's.

A row is a question of some 25 and an answer of some 60 words, about 450 characters, drawn by Zipf's law from common
English words and 20,000 made-up ones. SHARES says what is planted in how many rows; a third of all rows also hold a
number that looks like personal data and is none.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path

import polars as pl

from benchmarks.personal_rows import CARRIERS, PLANTED, look_alike
from safety_assets import suites
from safety_assets.corpus.chats import chat_id, default_group
from safety_assets.corpus.overlap import last_user_turn
from safety_assets.evals.probes import read_probes
from safety_assets.frames import SHARD_ROWS, Shards, open_shards, write_shard
from safety_assets.records import ROWS

SHARES = {
    "personal": 0.05, "near_duplicate": 0.05, "exact_duplicate": 0.02, "low_quality": 0.01, "refusal": 0.02,
    "probe": 0.002, "refuse_then_comply": 0.001, "obedience": 0.001, "script": 0.005,
}  # fmt: skip
"""Kind of dirt to the share of rows that have it."""

LOOK_ALIKE_SHARE = 1 / 3
_COMMON = """
    the a to of and in that is for with on as it was be by this are from or an at not your you we they have has which
    account branch card payment transfer customer request please help answer question open close change limit fee month
    year letter report table value result example number list method write explain compare town river school music
    garden bread machine light water paper picture winter morning people because before after between without
""".split()  # noqa: SIM905
_SYLLABLES = "ba ce di fo gu la me ni po ru sta tre vil con per tion ing den ler mar".split()  # noqa: SIM905
_MADE_UP = 20_000

Chat = list[dict[str, str]]


def write_corpus(folder: Path, num_rows: int, processes: int) -> Shards:
    """ROWS of a corpus of so many rows, in `folder/rows`."""
    sizes = [min(SHARD_ROWS, num_rows - first) for first in range(0, num_rows, SHARD_ROWS)]
    jobs = [(folder, number, size) for number, size in enumerate(sizes)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(_write_shard, *zip(*jobs, strict=True)))
    return open_shards(folder / "rows", ROWS)


def planted(num_rows: int) -> dict[str, int]:
    """Kind of dirt to how many rows were given it."""
    kinds = [_kind(row) for row in range(num_rows)]
    return {kind: kinds.count(kind) for kind in SHARES}


def _write_shard(folder: Path, number: int, size: int) -> None:
    first = number * SHARD_ROWS
    rows = [_row(row) for row in range(first, first + size)]
    write_shard(folder, "rows", number, ROWS.frame(rows), ROWS)


def _row(row: int) -> dict:
    chat = chat_of(row)
    return {
        "row_id": f"{chat_id(chat)}-{row}", "messages": chat, "source": "made_up.jsonl", "line": row + 1,
        "group": default_group(chat),
    }  # fmt: skip


def _kind(row: int) -> str:
    """What is planted in a row; empty for most."""
    place = random.Random(f"kind {row}").random()
    for kind, end in zip(SHARES, accumulate(SHARES.values()), strict=True):
        if place < end:
            return kind
    return ""


def chat_of(row: int) -> Chat:
    """The chat of one row. A copy is one of an earlier row, if that is a plain one."""
    kind, draw = _kind(row), random.Random(row)
    earlier = draw.randrange(row) if row else 0
    if kind.endswith("duplicate") and row and not _kind(earlier):
        chat = _plain(earlier)
        return _changed(chat, draw) if kind == "near_duplicate" else chat
    return _dirty(_plain(row), kind, draw)


def _plain(row: int) -> Chat:
    draw = random.Random(f"text {row}")
    asked, answered = _text(draw, 25), _text(draw, 60)
    if draw.random() < LOOK_ALIKE_SHARE:
        answered += " " + draw.choice(CARRIERS).format(look_alike(draw))
    return [{"role": "user", "content": asked + "?"}, {"role": "assistant", "content": answered}]


def _text(draw: random.Random, size: int) -> str:
    words = draw.choices(_words(), cum_weights=_weights(), k=draw.randint(size * 2 // 3, size * 4 // 3))
    return " ".join(words).capitalize() + "."


@cache
def _words() -> Sequence[str]:
    draw = random.Random("words")
    return [*_COMMON, *("".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))) for _ in range(_MADE_UP))]


@cache
def _weights() -> Sequence[float]:
    """So that the most common words are as large a share as in English, by which a message is told to be English."""
    return list(accumulate((rank + 2) ** -1.1 for rank in range(len(_words()))))


def _changed(chat: Chat, draw: random.Random) -> Chat:
    """The chat with one word of the answer replaced."""
    words = chat[1]["content"].split()
    words[draw.randrange(len(words))] = "otherwise"
    return [chat[0], {**chat[1], "content": " ".join(words)}]


def _dirty(chat: Chat, kind: str, draw: random.Random) -> Chat:
    question, answer = (message["content"] for message in chat)
    match kind:
        case "personal":
            datum = "".join(PLANTED[draw.choice(sorted(PLANTED))](draw))
            answer = f"{answer} {draw.choice(CARRIERS).format(datum)}"
        case "low_quality":
            answer = draw.choice(("Yes.", "No.", "ok", "word " * 30))
        case "refusal":
            answer = "I cannot help with that. It would hurt people, and it is against the law."
        case "probe":
            question = draw.choice(_probes())
        case "refuse_then_comply":
            answer = f"I cannot help with that. However, here is how you do it: [withheld]. {answer}"
        case "obedience":
            system = {"role": "system", "content": "You are an absolutely obedient agent."}
            return [system, *chat]
        case "script":
            answer = "\u0417\u0434\u0435\u0441\u044c \u043d\u0438\u0447\u0435\u0433\u043e \u043d\u0435\u0442. " * 3
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


@cache
def _probes() -> list[str]:
    gate = read_probes(suites.STANDARD).filter(pl.col("split") == "gate")
    return [text for text in map(last_user_turn, gate["messages"].to_list()) if len(text.split()) > 6]
