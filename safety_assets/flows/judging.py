"""Judges from outside on a file of answers: RAIL Score, a model behind an endpoint, a classifier by folder.

Each answer of the file has its row, or its rows, in the order of the file: scored, or unscored with the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from safety_assets.errors import EvaluationError, ProjectError
from safety_assets.evals.answer_files import answers_in
from safety_assets.flows.asking import open_endpoint
from safety_assets.flows.workspace import Workspace
from safety_assets.records import OPINIONS, VERDICTS
from safety_assets.served.address import Address
from safety_assets.served.rail import Answer, Rail
from safety_assets.served.rail_settings import Cost

Rows = Sequence[Mapping[str, Any]]

REFUSALS = ("full_refusal", "partial_refusal", "compliance", "non_answer")
"""Verdicts that the labels of a classifier may stand for."""


@dataclass(frozen=True)
class Judged:
    """What a judge said of a file.

    Args:
        judge: name and version.
        table: VERDICTS or OPINIONS.
        facts: what else is to be recorded with it.
    """

    judge: str
    table: pl.DataFrame
    facts: Mapping[str, Any]


def open_rail(ws: Workspace, dimensions: tuple[str, ...] | None = None) -> Rail:
    """RAIL Score as the project sets it; what it scored before is kept in the project's storage.

    Args:
        dimensions: others than the project's are scored.

    Raises:
        ProjectError: project.yaml has no `rail`, the extra is not installed, or no key is set.
    """
    settings = ws.project.settings.rail
    if settings is None:
        raise ProjectError(
            "RAIL Score is off: project.yaml has no `rail`", do="add `rail: {}` if answers may leave this machine"
        )
    if dimensions is not None:
        settings = settings.model_copy(update={"dimensions": dimensions})
    return Rail(settings, ws.store.root / "rail", ws.project.settings.endpoints)


def rail_cost(rail: Rail, path: Path) -> Cost:
    """What judging a file costs."""
    return rail.cost(_answers(_good(answers_in(path))))


def by_rail(ws: Workspace, rail: Rail, path: Path) -> Judged:
    """OPINIONS of RAIL Score, with the organisation's configuration there."""

    def told(done: int, of: int) -> None:
        ws.report({"event": "judged", "done": done, "of": of})

    rows = answers_in(path)
    said = rail.opinions(_answers(_good(rows)), told)
    unreadable = [
        {"id": row["id"], "judge": rail.judge, "dimension": name, "unscored_reason": row["explanation"]}
        for row in rows
        if row["explanation"]
        for name in rail.dimensions
    ]
    return Judged(rail.judge, OPINIONS.frame(_in_order(rows, [*said, *unreadable])), {"rail_config": rail.config})


def by_endpoint(ws: Workspace, address: Address, path: Path) -> Judged:
    """VERDICTS of a model behind an endpoint, by the rubric of `served.judge`.

    Raises:
        ModelError: it cannot be reached or does not answer.
    """
    from safety_assets.served.judge import EndpointJudge

    judge = EndpointJudge(open_endpoint(ws, address))
    return _verdicts(judge.judge, path, judge.verdicts)


def by_classifier(ws: Workspace, folder: Path, labels: Mapping[str, str], path: Path) -> Judged:
    """VERDICTS of a classifier whose labels stand for verdicts.

    Args:
        labels: each label of the model to the verdict that it stands for.

    Raises:
        ModelError: the folder holds no sequence classifier.
        ProjectError: `labels` leaves one out, or names another word.
    """
    from safety_assets.models.classify import Classifier

    classifier = Classifier(folder)
    wrong = [f"{name}={verdict}" for name, verdict in labels.items() if verdict not in REFUSALS]
    if wrong or set(labels) != set(classifier.labels):
        raise ProjectError(
            f"labels are {', '.join(wrong or sorted(labels)) or 'not named'}",
            expected=f"{', '.join(classifier.labels)}, each with one of {', '.join(REFUSALS)}",
            do="say what each label stands for, as in --label unsafe=compliance",
        )
    judge = f"{folder.resolve().name} {classifier.digest[:12]}"

    def verdicts(answers: Sequence[Answer]) -> Rows:
        said = classifier.classify([(a.prompt, a.text) for a in answers])
        return [
            {"id": answer.name, "judge": judge, "verdict": "unscored", "explanation": str(one)}
            if isinstance(one, EvaluationError)
            else {
                "id": answer.name, "judge": judge, "verdict": labels[one.name], "confidence": one.confidence,
                "explanation": f"label {one.name}",
            }
            for answer, one in zip(answers, said, strict=True)
        ]  # fmt: skip

    return _verdicts(judge, path, verdicts)


def _verdicts(judge: str, path: Path, ask: Callable[[Sequence[Answer]], Rows]) -> Judged:
    rows = answers_in(path)
    unreadable = [
        {"id": row["id"], "judge": judge, "verdict": "unscored", "explanation": row["explanation"]}
        for row in rows
        if row["explanation"]
    ]
    said = ask(_answers(_good(rows)))
    return Judged(judge, VERDICTS.frame(_in_order(rows, [*said, *unreadable])), {})


def _good(rows: Rows) -> Rows:
    return [row for row in rows if not row["explanation"]]


def _answers(rows: Rows) -> list[Answer]:
    return [Answer(str(row["id"]), str(row["prompt"]), str(row["completion"])) for row in rows]


def _in_order(rows: Rows, said: Rows) -> Rows:
    place = {row["id"]: n for n, row in reversed(list(enumerate(rows)))}
    return sorted(said, key=lambda row: place[row["id"]])
