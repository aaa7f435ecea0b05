"""`plan`: what a recipe will cost here, before it costs."""

import json
from dataclasses import replace
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.terminal import app, console, in_words, workspace
from safety_assets.flows.planning import Plan
from safety_assets.flows.planning import plan as plan_recipe
from safety_assets.training.footprint import byte_count
from safety_assets.worker import launch_apart


@app.command()
@in_words
def plan(
    recipe: Annotated[str, typer.Argument(help="Name of the recipe.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Measure a few steps: memory, disk, time and the sweep. Exit codes: 0 it fits, 1 it does not."""
    ws = workspace()
    found = plan_recipe(replace(ws, launch=lambda order: launch_apart(order, lambda message: None)), recipe)
    if as_json:
        print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    else:
        _show(found)
    if not found.fits:
        raise typer.Exit(1)


def _show(found: Plan) -> None:
    table = Table("asset", "time", "what it does", title=f"{found.recipe} on this machine", title_justify="left")
    for part in found.parts:
        table.add_row(part.asset, duration(part.seconds), part.why)
    if found.parts:
        table.add_section()
        table.add_row("all of it", duration(found.seconds), "from nothing to the decision")
        console.print(table)
    console.print(f"memory  {byte_count(found.certain_bytes)} certain, {_peak(found)}", soft_wrap=True)
    console.print(f"disk    {byte_count(found.disk_bytes)}, {byte_count(found.free_disk_bytes)} free", soft_wrap=True)
    for note in found.notes:
        console.print(f"[dim]note    {escape(note)}[/dim]", soft_wrap=True)
    if not found.fits:
        console.print(f"[red]does not fit[/red]: {escape(found.reason)}", soft_wrap=True)
    console.print(f"{'do' if not found.fits else 'smaller'}: {escape(found.advice)}", soft_wrap=True)


def _peak(found: Plan) -> str:
    return f"{byte_count(found.peak_bytes)} at the peak" if found.peak_bytes else "the rest was not measured"


def duration(seconds: float) -> str:
    """Seconds for a person: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
