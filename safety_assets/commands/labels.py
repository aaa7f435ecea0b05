"""`labels`: rows for people to label good or bad, and their labels taken in."""

from pathlib import Path
from typing import Annotated

import typer

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.flows.labels import Labelling, take_labels, write_sheet

labels = typer.Typer(no_args_is_help=True, help="Rows that people label good or bad.")
app.add_typer(labels, name="labels")


@labels.callback()
def _group() -> None:
    """Rows that people label good or bad."""


@labels.command()
@in_words
def sample(
    out: Annotated[Path, typer.Option(dir_okay=False, help="CSV file to write; it must not exist.")] = Path(
        "label-sample.csv"
    ),
    as_json: JSON = False,
) -> None:
    """Write the sample of the current audit: a row of the corpus per line, label and who to be filled in.

    What the audit masks is masked there too. Rows with a label in the project have it already.
    """
    found = write_sheet(workspace(), out)
    _show(found, as_json, [f"safety-assets labels read {out}"])


@labels.command()
@in_words
def read(
    sheet: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The sheet with label and who filled in.")],
    as_json: JSON = False,
) -> None:
    """Take the labels of a filled in sheet into the project's labels.csv, which holds no chats."""
    found = take_labels(workspace(), sheet)
    _show(found, as_json, ["safety-assets materialize corpus_audit"])


def _show(found: Labelling, as_json: bool, commands: list[str]) -> None:
    shown, numbers = found.shown, dict(found.verdict.numbers)
    if as_json:
        check = {"check": found.verdict.check, "status": found.verdict.status, "reasons": list(found.verdict.reasons)}
        print_json(
            {"file": str(found.file), "changed": found.changed, "numbers": numbers, "check": check, "next": commands}
        )
        return
    told = [f"{found.file}: {shown.labelled} of {shown.sampled} sampled rows are labelled"]
    if found.changed:
        told.append(f"{found.changed} rows had another label before")
    if shown.labelled:
        told.append(f"{shown}; the policy allows {numbers['limit']:.1%}")
    for line in (*told, "", "Next:", *(f"  {command}" for command in commands)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
