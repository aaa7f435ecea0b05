"""Answers on which judges disagree, as a sheet for people; and their labels, in the shape that `judge --fit` reads.

A judge alone cannot be checked; two that disagree say where a person has to look. A seeded sample of the others goes
with them, because judges also err together.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.reading.labels import LABELS, REFUSALS
from safety_assets.records import VERDICTS, Table
from safety_assets.store import digest_bytes

REVIEW = Table("review", {
    "id": (pl.String, "the answer"),
    "why": (pl.String, "what each judge says of it; sample: all agree, and it was drawn"),
    "prompt": (pl.String, "what was asked"),
    "completion": (pl.String, "the answer"),
    "label": (pl.String, f"to be filled in: {', '.join(LABELS)}"),
    "who": (pl.String, "to be filled in: who labelled"),
})  # fmt: skip
DRAWN = "sample"

Row = Mapping[str, object]


def review(answers: Sequence[Row], verdicts: Sequence[pl.DataFrame], sample: int = 0, seed: int = 0) -> pl.DataFrame:
    """REVIEW in the order of the answers: those whose judges disagree or say nothing, and a sample of the others.

    Judges disagree where one says that an answer declines, wholly or in part, and another that it does not. An answer
    that a judge did not score, or does not know, is looked at too.

    Args:
        answers: id, prompt and completion of each.
        verdicts: VERDICTS of two judges or more.
        sample: how many of the others are drawn.
        seed: another number draws another sample.

    Raises:
        EvaluationError: there are fewer than two judges, or one judges an answer twice.
    """
    if len(verdicts) < 2:
        raise EvaluationError(f"{len(verdicts)} judges", expected="two or more, to see where they disagree")
    said = [_by_id(table) for table in verdicts]
    why = {str(row["id"]): _why([one.get(str(row["id"]), "unscored") for one in said]) for row in answers}
    agreed = sorted(
        (name for name, reason in why.items() if not reason), key=lambda n: digest_bytes(f"{seed}:{n}".encode())
    )
    why |= dict.fromkeys(agreed[:sample], DRAWN)
    rows = [{**row, "id": str(row["id"]), "why": why[str(row["id"])], "label": "", "who": ""} for row in answers]
    return REVIEW.frame([row for row in rows if row["why"]])


def _by_id(table: pl.DataFrame) -> dict[str, str]:
    rows = VERDICTS.check(table).select("id", "verdict").rows()
    found: dict[str, str] = dict(rows)
    if len(found) < len(rows):
        raise EvaluationError("a judge judges one answer twice", do="give every answer an id of its own")
    return found


def _why(said: Sequence[str]) -> str:
    """What the judges say, one after the other; empty where they agree."""
    kinds = {"refuses" if verdict in REFUSALS else verdict for verdict in said}
    return "" if len(kinds) == 1 and "unscored" not in kinds else ", ".join(said)


def read_review(path: Path) -> list[dict[str, str]]:
    """id, prompt, completion, label and who of each line that is filled in.

    Raises:
        EvaluationError: the sheet cannot be read, a label is another word, or nobody signed it.
    """
    return [_labelled(row, place) for place, row in _filled_in(path)]


def labels_in(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """What `read_review` gives, with the `place` of each line; and a sentence for each that cannot be taken.

    Such is another word, a line without a signature or an id, and every line of an answer that has two labels.

    Raises:
        EvaluationError: the sheet cannot be read.
    """
    found, faults = [], []
    for place, row in _filled_in(path):
        try:
            found.append({**_labelled(row, place), "place": place})
        except EvaluationError as error:
            faults.append(error.found)
    words: dict[str, set[str]] = {}
    for row in found:
        words.setdefault(row["id"], set()).add(row["label"])
    faults += [f"{row['place']}: answer {row['id']} has two labels" for row in found if len(words[row["id"]]) > 1]
    faults += [f"{row['place']} has no id" for row in found if not row["id"]]
    return [row for row in found if row["id"] and len(words[row["id"]]) == 1], faults


def _filled_in(path: Path) -> list[tuple[str, Mapping[str, str | None]]]:
    """Place and line of each label of a sheet."""
    rows = csv_rows(path, list(REVIEW.columns))
    return [(f"{path.name}, record {n}", row) for n, row in enumerate(rows, 2) if (row["label"] or "").strip()]


def csv_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str | None]]:
    """Every record of a CSV file that has these columns; a short record has None at its end.

    Raises:
        EvaluationError: it cannot be read, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"{path} cannot be read as CSV: {error}", do="save the filled in sheet as CSV") from error
    missing = [name for name in columns if rows and name not in rows[0]]
    if missing:
        raise EvaluationError(f"{path} has no column {missing[0]}", do="save the sheet as CSV again, its columns kept")
    return rows


def _labelled(row: Mapping[str, str | None], place: str) -> dict[str, str]:
    label, who = (row["label"] or "").strip().casefold(), (row["who"] or "").strip()
    if label not in LABELS:
        raise EvaluationError(f"{place} is labelled {label!r:.40}", expected=", ".join(LABELS), do="correct it")
    if not who:
        raise EvaluationError(f"{place} does not say who labelled it", do="sign it in the column who")
    return {
        "id": (row["id"] or "").strip(),
        "prompt": row["prompt"] or "",
        "completion": row["completion"] or "",
        "label": label,
        "who": who,
    }
