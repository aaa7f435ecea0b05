"""`plan`: what a recipe will cost here, before it costs."""

from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.completion import Recipe
from safety_assets.commands.messages import duration
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace

if TYPE_CHECKING:
    from safety_assets.flows.planning import Plan


@app.command()
@in_words
def plan(
    recipe: Recipe,
    as_json: JSON = False,
) -> None:
    """Measure a few steps and a few answers: what memory, disk and time a recipe and the sweep will take here."""
    from safety_assets.flows.planning import plan as plan_recipe
    from safety_assets.worker import launch_apart

    ws = workspace()
    found = plan_recipe(replace(ws, launch=lambda order: launch_apart(order, lambda message: None)), recipe)
    if as_json:
        print_json(found.as_dict())
    else:
        _show(found)
    if not found.fits:
        raise typer.Exit(1)


def _show(found: "Plan") -> None:
    from safety_assets.training.footprint import byte_count

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


def _peak(found: "Plan") -> str:
    from safety_assets.training.footprint import byte_count

    return f"{byte_count(found.peak_bytes)} at the peak" if found.peak_bytes else "the rest was not measured"
