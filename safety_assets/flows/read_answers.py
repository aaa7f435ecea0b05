"""What people said of single answers: `reviewed.csv` in the project's folder, by digest of chat and answer."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from safety_assets.errors import ProjectError
from safety_assets.evals.review import csv_rows
from safety_assets.project import Project
from safety_assets.reading.labels import LABELS
from safety_assets.store import replace_text

FILE = "reviewed.csv"
COLUMNS = ("id", "label", "who", "when")


def read_reviewed(project: Project) -> dict[str, dict[str, str]]:
    """Id to label, who and when; the last line about an answer counts. Nothing when there is no file.

    Raises:
        EvaluationError: it cannot be read, or lacks a column.
        ProjectError: a line has no id, signature or day, or a label that is none.
    """
    path = project.folder / FILE
    if not path.is_file():
        return {}
    return {str(row["id"]): _checked(path, number, row) for number, row in enumerate(csv_rows(path, COLUMNS), 2)}


def _checked(path: Path, number: int, row: Mapping[str, str | None]) -> dict[str, str]:
    missing = [name for name in COLUMNS if not (row.get(name) or "").strip()]
    if missing or row["label"] not in LABELS:
        found = f"no {missing[0]}" if missing else f"label {row['label']!r:.40}"
        raise ProjectError(
            f"{path}, line {number} has {found}", expected=f"{', '.join(COLUMNS)}; labels {', '.join(LABELS)}",
            do="correct it, or take it in again: safety-assets review record",
        )  # fmt: skip
    return {name: str(row[name]).strip() for name in COLUMNS[1:]}


def record(project: Project, rows: Sequence[Mapping[str, str]], day: date) -> int:
    """Add people's labels, each with the day on which it was taken in; how many answers are read now.

    Args:
        rows: id, label and who of each.
    """
    known = read_reviewed(project)
    known |= {row["id"]: {"label": row["label"], "who": row["who"], "when": day.isoformat()} for row in rows}
    path = project.folder / FILE
    lines = [{"id": name, **said} for name, said in known.items()]
    replace_text(path, _as_csv(lines))
    return len(lines)


def _as_csv(lines: Sequence[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()
