"""`gate`: may weights that were trained elsewhere be released? Both models are asked, compared and decided upon."""

from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.markup import escape
from rich.table import Table

from safety_assets import suites
from safety_assets.commands.progress import progress
from safety_assets.commands.sheets import write_sheet
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words_ending, print_json, workspace
from safety_assets.corpus.tasks import read_tasks
from safety_assets.datafiles import DataFiles
from safety_assets.flows.gate_report import dimensions, document, forgotten_categories, page
from safety_assets.flows.gating import Exam, Gated, exam_from, gate
from safety_assets.flows.review_queue import keep_sheet
from safety_assets.flows.targets import where
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.project import STANDARD
from safety_assets.release.evidence import headline
from safety_assets.settings import read_settings

EXIT_CODES = {"approved": 0, "rejected": 1, "not_certified": 3}
"""Only 0 may release."""
USAGE = 2
"""A policy, probe or task file that cannot be read included."""
SHOWN_CATEGORIES = 12
COLOURS = {"approved": "green", "rejected": "red", "not_certified": "yellow", "pass": "green", "fail": "red"}


@app.command(name="gate")
@in_words_ending(USAGE)
def gate_command(
    base: Annotated[
        str, typer.Option(metavar="FOLDER|URL", help="The aligned model that the checkpoint started from.")
    ],
    tuned: Annotated[
        str,
        typer.Option(
            metavar="FOLDER|URL",
            help="The checkpoint: a model folder, an adapter to the base, or an endpoint as http://HOST/v1#MODEL.",
        ),
    ],
    policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Policy file; the project's by default.")
    ] = None,
    probes: Annotated[
        Path | None, typer.Option(help="Folder of probes, or standard; the project's by default.")
    ] = None,
    task: Annotated[
        Path | None, typer.Option(exists=True, help="Task set whose floor and gain hold; without it none is demanded.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the evidence page (Markdown) to this file.")] = None,
    review: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the answers that wait for a person to this CSV file.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Gate a checkpoint that was trained elsewhere: both models are asked, compared and decided upon.

    What a folder said before to the same questions is not asked again. Of a model behind an endpoint the weights cannot
    be read: it is never better than not certified, unless the policy's unread_weights names who accepts that.
    """
    with progress(quiet=as_json) as said:
        ws = workspace(report=said)
        exam = _exam(ws, policy, probes, task)
        gated = gate(ws, where(base), where(tuned), exam)
    if report is not None:
        _write_report(report, gated)
    if review is not None and gated.findings.twice is not None:
        write_sheet(review, gated.findings.twice.queue.filter(pl.col("label") == ""))
        keep_sheet(ws, gated.findings.name, gated.findings.twice.queue, gated.findings.digests)
    if as_json:
        print_json(document(gated))
    else:
        _show(gated)
    raise typer.Exit(EXIT_CODES[gated.decision.status])


def _exam(ws: Workspace, policy: Path | None, probes: Path | None, task: Path | None) -> Exam:
    """What is asked and by which law: the files given, else the project's."""
    law = read_settings(policy, Policy) if policy else ws.policy
    asked = suites.STANDARD if str(probes) == STANDARD else probes or ws.project.probes
    tasks = read_tasks(DataFiles(path=task), ws.project.settings.task_answer) if task else None
    return exam_from(asked, law, tasks)


def _write_report(path: Path, gated: Gated) -> None:
    try:
        path.write_text(page(gated), encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error}", param_hint="--report") from error


def _show(gated: Gated) -> None:
    decision = gated.decision
    console.print(_dimensions(gated))
    lost = forgotten_categories(gated)
    if not lost.is_empty():
        console.print(_forgotten(lost))
    console.print(f"[{COLOURS[decision.status]}]{escape(headline(decision)).replace('**', '')}[/]", soft_wrap=True)
    for number, reason in enumerate(decision.reasons, 1):
        console.print(f"  {number}. {escape(reason)}", soft_wrap=True)
    for note in decision.notes:
        console.print(f"  known: {escape(note)}", soft_wrap=True)
    for sentence in gated.findings.not_checked:
        complaints.print(f"not checked: {escape(sentence)}", style="dim", soft_wrap=True)


def _dimensions(gated: Gated) -> Table:
    table = Table("dimension", "base", "tuned", "drop", "95% bounds", "budget", "verdict")
    for name, row in dimensions(gated).items():
        bounds = f"{_points(row['low'])} to {_points(row['high'])}"
        colour = COLOURS.get(row["verdict"], "yellow")
        said = f"[{colour}]{row['verdict'].replace('_', ' ')}[/]"
        shown = (_points(row[key]) for key in ("base", "tuned", "drop"))
        table.add_row(name, *shown, bounds, _points(row["budget"]), said)
    return table


def _forgotten(lost: pl.DataFrame) -> Table:
    table = Table("forgotten", "category", "lost", "gained", "of")
    for row in lost.head(SHOWN_CATEGORIES).iter_rows(named=True):
        table.add_row(
            row["dimension"],
            escape(row["category"] or ""),
            *(str(row[f"num_{k}"]) for k in ("lost", "gained", "items")),
        )
    if lost.height > SHOWN_CATEGORIES:
        table.caption = f"and {lost.height - SHOWN_CATEGORIES} more categories, see --report"
    return table


def _points(value: float | str | None) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value or "-")
