"""What a project says of its data files: where they are, what their columns are called, where an answer stands."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from safety_assets.settings import Settings


@dataclass(frozen=True)
class Shape:
    """A layout of columns that holds a chat.

    Args:
        name: what reports call it.
        needs: columns by which it is recognised.
        may: columns that it reads where they are there.
    """

    name: str
    needs: tuple[str, ...]
    may: tuple[str, ...] = ("system",)


SHAPES = (
    Shape("messages", ("messages",)),
    Shape("sharegpt", ("conversations",)),
    Shape("alpaca", ("instruction", "output"), ("input", "system")),
    Shape("prompt/completion", ("prompt", "completion")),
    Shape("prompt/response", ("prompt", "response")),
    Shape("question/answer", ("question", "answer")),
)
"""Every layout that is read. Columns beside those of its shape, `group`, `category` and `kind` are not read."""

KNOWN_SHAPES = "; ".join(" and ".join(shape.needs) for shape in SHAPES)


class Columns(Settings):
    """What the columns of one shape are called in these files, where that is not their own name.

    All columns that the shape needs are named; an optional one that is not named keeps its own name.
    """

    messages: str | None = Field(None, description="list of role and content")
    conversations: str | None = Field(None, description="list of from and value")
    instruction: str | None = Field(None, description="what is asked for")
    input: str | None = Field(None, description="follows the instruction after an empty line; may be blank")
    output: str | None = Field(None, description="the answer")
    prompt: str | None = Field(None, description="what is asked")
    completion: str | None = Field(None, description="the answer")
    response: str | None = Field(None, description="the answer")
    question: str | None = Field(None, description="what is asked")
    answer: str | None = Field(None, description="the answer")
    system: str | None = Field(None, description="system turn; may be blank")
    group: str | None = Field(None, description="conversation: its rows never fall into different splits")
    category: str | None = Field(None, description="subject of a task item, category of a pair")

    @property
    def named(self) -> dict[str, str]:
        """Standard name to the name in the files."""
        return self.model_dump(exclude_none=True)

    @property
    def shape(self) -> Shape:
        """The shape whose columns are named."""
        return next(shape for shape in SHAPES if set(shape.needs) <= set(self.named))

    @model_validator(mode="after")
    def _one_shape(self) -> "Columns":
        named = set(self.named)
        fitting = [shape for shape in SHAPES if set(shape.needs) <= named]
        if len(fitting) != 1 or not named <= {*fitting[0].needs, *fitting[0].may, "group", "category"}:
            raise ValueError(f"name the columns of one shape: {KNOWN_SHAPES}")
        if len(set(self.named.values())) < len(named):
            raise ValueError("one column cannot be two")
        return self


class DataFiles(Settings):
    """A file, or a folder of files: a path, or a path with the names of its columns."""

    path: Path = Field(description="*.jsonl, *.json, *.csv, *.tsv, *.parquet, *.arrow, a folder of them, or what "
                                   "`save_to_disk` of the datasets library wrote")  # fmt: skip
    columns: Columns | None = Field(None, description="what the columns are called, when not as usual")

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str | Path) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "format": "path"}, handler.resolve_ref_schema(handler(core))]}


class AnswerRule(Settings):
    """Where the checkable answer stands in a longer one: the last place counts."""

    after: str | None = Field(None, min_length=1, description="the answer is what follows this mark")
    pattern: str | None = Field(None, description="regular expression whose one group is the answer")

    @model_validator(mode="after")
    def _one_rule(self) -> "AnswerRule":
        if (self.after is None) == (self.pattern is None):
            raise ValueError("say either after or pattern")
        if self.pattern is not None:
            try:
                groups = re.compile(self.pattern).groups
            except re.error as error:
                raise ValueError(f"pattern is no regular expression: {error}") from error
            if groups != 1:
                raise ValueError(f"pattern has {groups} groups, expected one")
        return self

    def find(self, text: str) -> str | None:
        """The answer in a text, without white space around; None where there is none."""
        if self.after is not None:
            _, mark, found = text.rpartition(self.after)
            return found.strip() or None if mark else None
        matches = [match[1] or "" for match in re.finditer(self.pattern or "", text)]
        return matches[-1].strip() or None if matches else None
