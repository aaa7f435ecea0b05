"""Files of answers: read to be judged, or, with people's labels, to fit a judge. One JSON object a line."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals.wording import spoken
from safety_assets.reading.answers import Reading, read_answers
from safety_assets.reading.labels import LABELS
from safety_assets.reading.linear import Linear
from safety_assets.reading.refit import Labelled
from safety_assets.records import VERDICTS

BATCH = 4096
FEWEST = 10
"""Labelled answers of each kind, refusals and others, that a fit needs."""

Row = Mapping[str, object]


Report = Callable[[int, int], None]
"""Takes how much is done, and of how much."""


def judge_file(
    path: Path, judge: str, model: Linear | None = None, report: Report = lambda done, of: None
) -> pl.DataFrame:
    """VERDICTS of a file of answers with id, prompt and completion, one for each line.

    A line that cannot be read, or holds no completion, is unscored, with the reason. An empty completion is an answer,
    and says nothing. Reasoning in front of an answer (<think>...</think>) is not judged.

    Args:
        path: JSON lines; prompt may be missing.
        judge: what the judge is called.
        model: a refitted model; the shipped rules and model by default.
        report: takes lines read, and of how many.

    Raises:
        EvaluationError: no line of the file can be judged.
    """
    lines, parts = _lines(path), [VERDICTS.empty()]
    number = sum(1 for _ in _lines(path))
    while part := list(islice(lines, BATCH)):
        parts.append(VERDICTS.frame(_judged(part, judge, model)))
        report(sum(map(len, parts)), number)
    return _some_judged(path, pl.concat(parts))


def answers_in(path: Path) -> list[Row]:
    """Id, prompt and completion of each line, reasoning in front of it taken off; `explanation` says what is wrong.

    For judges that are asked elsewhere. An explanation that is not empty leaves the answer unscored.
    """
    rows = [_row(number, line) for number, line in _lines(path)]
    return [row if row["explanation"] else {**row, "completion": spoken(str(row["completion"]))} for row in rows]


def _some_judged(path: Path, verdicts: pl.DataFrame) -> pl.DataFrame:
    """The verdicts, unless there is none: then the file is another one than was meant."""
    if (verdicts["verdict"] == "unscored").all():
        first = f"; of line 1: {verdicts['explanation'][0]}" if verdicts.height else ""
        raise EvaluationError(
            f"{path} has {verdicts.height} lines, none of which can be judged{first}",
            expected="JSON lines of id, prompt, completion", do="name the file of answers, one object on each line",
        )  # fmt: skip
    return verdicts


def read_labelled(path: Path) -> list[Labelled]:
    """Answers with what people call them: prompt, completion, label, and model where it is known.

    Raises:
        EvaluationError: a line is wrong, or there are too few answers to fit anything to.
    """
    found = [_labelled(path, number, line) for number, line in _lines(path)]
    refusing = sum(one.refuses for one in found)
    if min(refusing, len(found) - refusing) < FEWEST:
        raise EvaluationError(
            f"{path} holds {refusing} refusals and {len(found) - refusing} other answers",
            expected=f"at least {FEWEST} of each", do="label more answers; a hundred of each make the figures useful",
        )  # fmt: skip
    return found


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            yield number, line.rstrip(b"\r\n")


def _judged(lines: Sequence[tuple[int, bytes]], judge: str, model: Linear | None) -> list[Row]:
    rows = [_row(number, line) for number, line in lines]
    answers = [row for row in rows if not row["explanation"]]
    texts = [spoken(str(row["completion"])) for row in answers]
    readings = read_answers(texts, [str(row["prompt"]) for row in answers], model)
    said = dict(zip((id(row) for row in answers), readings, strict=True))
    return [{**row, **_verdict(said.get(id(row))), "judge": judge} for row in rows]


def _verdict(reading: Reading | None) -> Row:
    if reading is None:
        return {"verdict": "unscored", "confidence": None}
    verdict = "compliance" if reading.verdict == "hedged" else reading.verdict
    return {"verdict": verdict, "confidence": round(reading.confidence, 4), "explanation": reading.explanation}


def _row(number: int, line: bytes) -> dict[str, object]:
    """Id, prompt and completion of a line; `explanation` says why it cannot be judged, and is empty where it can."""
    said, fault = _parsed(line)
    name, completion = said.get("id"), said.get("completion")
    if not fault and not isinstance(completion, str):
        fault = f"completion is {_kind(completion)}, expected a text"
    called = f"line {number}" if name is None else str(name)
    prompt = said.get("prompt")
    return {
        "id": called, "prompt": prompt if isinstance(prompt, str) else "", "completion": completion,
        "explanation": fault,
    }  # fmt: skip


def _labelled(path: Path, number: int, line: bytes) -> Labelled:
    said, fault = _parsed(line)
    label = said.get("label")
    wrong = [key for key in ("prompt", "completion") if not isinstance(said.get(key), str)]
    if fault or wrong:
        fault = fault or f"{wrong[0]} is {_kind(said.get(wrong[0]))}, expected a text"
    elif label not in LABELS:
        fault = f"label is {label!r:.40}"
    if fault:
        raise EvaluationError(
            f"{path}:{number}: {fault}", expected="prompt, completion and label, one of " + ", ".join(LABELS),
            do="mend the line, or take it out",
        )  # fmt: skip
    return Labelled(spoken(str(said["completion"])), str(label), str(said["prompt"]), str(said.get("model") or ""))


def _parsed(line: bytes) -> tuple[dict[str, object], str]:
    """The object of a line, and what is wrong with the line."""
    if not line.strip():
        return {}, "the line is empty"
    try:
        said = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return {}, f"the line is no JSON: {error}"[:200]
    return (said, "") if isinstance(said, dict) else ({}, f"the line is {_kind(said)}, expected an object")


def _kind(value: object) -> str:
    names = {type(None): "missing", bool: "a truth value", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "a text")


def counts(verdicts: pl.DataFrame) -> dict[str, int]:
    """Number of each verdict, the most frequent first."""
    table = verdicts["verdict"].value_counts().sort("count", "verdict", descending=[True, False])
    return dict(table.iter_rows())
