"""`review`: answers on which judges disagree, for people; and their labels taken back."""

import json
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from safety_assets.commands.replaced import replaced
from safety_assets.commands.sheets import write_sheet
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json, workspace
from safety_assets.errors import EvaluationError

group = typer.Typer(no_args_is_help=True, help="Answers on which judges disagree.")
app.add_typer(group, name="review")


@group.callback()
def _group() -> None:
    """Answers on which judges disagree."""


@group.command()
@in_words
def sheet(
    answers: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The answers that were judged.")],
    verdicts: Annotated[list[Path], typer.Option(exists=True, dir_okay=False, help="Of one judge; twice or more.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="CSV file to write; it must not exist.")],
    sample: Annotated[int, typer.Option(min=0, help="How many of the others are drawn too.")] = 0,
    seed: Annotated[int, typer.Option(help="Another number draws others.")] = 0,
    as_json: JSON = False,
) -> None:
    """Write the answers whose judges disagree, or did not score them, for people to label."""
    from safety_assets.evals.answer_files import answers_in
    from safety_assets.evals.review import review

    rows = [row for row in answers_in(answers) if not row["explanation"]]
    found = review(rows, [_read(path) for path in verdicts], sample, seed)
    write_sheet(out, found)
    _show({"file": str(out), "rows": found.height, "of": len(rows)}, as_json)


@group.command()
@in_words
def queue(
    name: Annotated[str, typer.Argument(help="A recipe, or a checkpoint of the watched folder.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="CSV file to write; it must not exist.")],
    as_json: JSON = False,
) -> None:
    """Write the answers of a candidate and its base that wait for a person, as the policy's second judge demands."""
    from safety_assets.flows.review_queue import waiting

    _written(out, waiting(workspace(), name), as_json)


@group.command()
@in_words
def record(
    filled: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The sheet, label and who filled in.")],
    as_json: JSON = False,
) -> None:
    """Take the labels of a filled in sheet into the project: from now on they count instead of both judges.

    A label that cannot be read, or whose answer stands in no queue any more, is named and set aside.
    """
    from safety_assets.flows.check_functions import today
    from safety_assets.flows.read_answers import FILE
    from safety_assets.flows.review_queue import take_in

    ws = workspace()
    found = take_in(ws, filled, today())
    for sentence in found.set_aside:
        complaints.print(f"set aside: {sentence}", style="dim", soft_wrap=True, markup=False)
    said = {"file": str(ws.project.folder / FILE), "rows": found.read, "taken": found.taken}
    _show({**said, "set_aside": list(found.set_aside)}, as_json)


def _written(out: Path, found: pl.DataFrame, as_json: bool) -> None:
    write_sheet(out, found)
    _show({"file": str(out), "rows": found.height}, as_json)


@group.command()
@in_words
def read(
    filled: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The sheet, label and who filled in.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="Labels as JSON lines, for judge --fit.")],
    as_json: JSON = False,
) -> None:
    """Take the labels of a filled in sheet, for `judge --fit`."""
    from safety_assets.evals.review import read_review

    found = read_review(filled)
    with replaced(out) as fresh:
        fresh.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")
    _show({"file": str(out), "rows": len(found)}, as_json)


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise EvaluationError(f"{path} holds no verdicts: {error}", do="name a file that judge wrote") from error


def _show(said: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(said)
    else:
        console.print(f"{said['file']}: {said['rows']} answers", soft_wrap=True, markup=False)
