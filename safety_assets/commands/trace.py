"""`trace`: where a row of the corpus went."""

from typing import Annotated

import typer

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.flows.trace import Place, trace


@app.command(name="trace")
@in_words
def trace_command(
    row_id: Annotated[str, typer.Argument(help="Id of a row or pair, as findings and pages show it.")],
    as_json: JSON = False,
) -> None:
    """List the audits, checkpoints and releases that a row went into."""
    found = trace(workspace(), row_id)
    if as_json:
        print_json(found.as_dict())
    else:
        for name in ("given", "audits", "audited", "checkpoints", "releases"):
            places = getattr(found, name)
            console.print(f"{name}: {len(places) or 'none'}", markup=False)
            for place in places:
                console.print(f"  {_line(place)}", soft_wrap=True, markup=False, highlight=False)
    if not found.given and not found.audited:
        raise typer.Exit(1)


def _line(place: Place) -> str:
    recipe = f" [{place.recipe}]" if place.recipe else ""
    now = ", current" if place.current else ""
    about = ", ".join(f"{key} {_said(value)}" for key, value in place.about.items() if value is not None)
    return f"{place.asset}{recipe} {place.digest[:12]}, {place.made_at}{now}; {about}"


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(f"{one['finding']} ({one['action']})" for one in value) or "none"
    return str(value)[:40]
