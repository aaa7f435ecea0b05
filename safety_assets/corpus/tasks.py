"""The task set: questions with a checkable answer. It must be whole, so a wrong line is an error."""

from pathlib import Path

import polars as pl

from safety_assets.corpus.chats import chat_id, chat_of, parse_line, text_field
from safety_assets.corpus.lines import numbered_lines, source_files
from safety_assets.errors import CorpusError
from safety_assets.records import TASKS

NO_CATEGORY = "general"


def read_tasks(path: Path) -> pl.DataFrame:
    """Read JSONL task items: `messages` ending in a user turn, `answer`, and optionally `options` and `category`.

    Args:
        path: a file, or a folder of *.jsonl.

    Returns:
        TASKS, one row per item; an item without category gets `general`.

    Raises:
        CorpusError: the path is missing or empty, or a line is wrong or asked twice; file and line are named.
    """
    first_seen: dict[str, str] = {}
    tasks = []
    for source, file in source_files([path]):
        for line, raw in numbered_lines(file):
            try:
                task = _task(raw)
                _ask_once(task["task_id"], f"{source}:{line}", first_seen)
            except CorpusError as fault:
                raise CorpusError(f"{source}:{line}: {fault.found}", expected=fault.expected, do=fault.do) from fault
            tasks.append(task)
    if not tasks:
        raise CorpusError(f"{path} holds no task item", expected="at least one", do="add messages and answer as JSONL")
    return TASKS.frame(tasks)


def _task(raw: bytes) -> dict:
    value = parse_line(raw)
    chat = chat_of(value, ends_with="user")
    category = text_field(value, "category") if value.get("category") is not None else NO_CATEGORY
    answer, options = text_field(value, "answer"), _options(value.get("options"))
    return {"task_id": chat_id(chat), "messages": chat, "answer": answer, "options": options, "category": category}


def _options(found: object) -> list[str]:
    """The options of a multiple-choice item; none when the key is absent."""
    if found is None:
        return []
    if not isinstance(found, list) or len(found) < 2 or not all(isinstance(o, str) and o.strip() for o in found):
        raise CorpusError("options is no list of texts", expected="two texts or more", do="write options as a list")
    if len({" ".join(option.lower().split()) for option in found}) < len(found):
        raise CorpusError("an option stands twice", expected="every option once", do="remove one of the two")
    return found


def _ask_once(task_id: str, where: str, first_seen: dict[str, str]) -> None:
    if task_id in first_seen:
        found = f"the same question as in {first_seen[task_id]}"
        raise CorpusError(
            found, expected="every question once, since each counts as one item", do="remove one of the two"
        )
    first_seen[task_id] = where
