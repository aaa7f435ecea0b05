"""The task set: questions with a checkable answer. It must be whole, so a wrong record is an error."""

from collections.abc import Mapping

import polars as pl

from safety_assets.corpus.chats import chat_id, chat_of, text_field
from safety_assets.corpus.given import records
from safety_assets.datafiles import AnswerRule, DataFiles
from safety_assets.errors import CorpusError
from safety_assets.records import TASKS

NO_CATEGORY = "general"


def read_tasks(files: DataFiles, rule: AnswerRule | None = None) -> pl.DataFrame:
    """Read task items of any known shape: the last answer of the chat is the one to be given.

    `messages` may also end with a user turn, with the answer beside it under `answer`. `options` (two or more
    texts) make it multiple choice; an item without `category` gets `general`.

    Args:
        rule: where the checkable answer stands in what the file gives as answer; all of it when absent.

    Returns:
        TASKS, one row per item.

    Raises:
        CorpusError: the path is missing or empty, or a record is wrong or asked twice; file and line are named.
    """
    first_seen: dict[str, str] = {}
    tasks = []
    for given in records([files]):
        where = f"{given.source}:{given.line}"
        try:
            if isinstance(given.content, CorpusError):
                raise given.content
            task = _task(given.content, rule)
            _ask_once(str(task["task_id"]), where, first_seen)
        except CorpusError as fault:
            raise CorpusError(f"{where}: {fault.found}", expected=fault.expected, do=fault.do) from fault
        tasks.append(task)
    if not tasks:
        raise CorpusError(f"{files.path} holds no task item", expected="at least one", do="add questions and answers")
    return TASKS.frame(tasks)


def checkable(answer: str, rule: AnswerRule | None) -> str:
    """The part of an answer that is checked; CorpusError when the rule finds none."""
    if rule is None:
        return answer
    found = rule.find(answer)
    if found is None:
        wanted = f"text after {rule.after!r}" if rule.after is not None else f"text that fits {rule.pattern!r}"
        raise CorpusError(f"the answer holds no {wanted}", expected="one", do="mend the answer or task_answer")
    return found


def _task(record: Mapping[str, object], rule: AnswerRule | None) -> dict[str, object]:
    category = text_field(record, "category") if record.get("category") is not None else NO_CATEGORY
    if record.get("answer") is not None or _asks(record["messages"]):
        chat, answer = chat_of(record["messages"], ends_with="user"), text_field(record, "answer")
    else:
        *chat, last = chat_of(record["messages"], ends_with="assistant")
        answer = last["content"]
    options = _options(record.get("options"))
    said = checkable(answer, rule)
    return {"task_id": chat_id(chat), "messages": chat, "answer": said, "options": options, "category": category}


def _asks(messages: object) -> bool:
    """Whether the last turn is the user's."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    return isinstance(last, dict) and last.get("role") == "user"


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
