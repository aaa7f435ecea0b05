"""`clean-up`: what nothing refers to any more, and its removal."""

from typing import Annotated

import typer

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.flows.clean_up import clean_up

MEGABYTE = 1e6


@app.command(name="clean-up")
@in_words
def clean_up_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--remove", help="Say what could be removed, or remove it.")
    ] = True,
    min_age: Annotated[float, typer.Option(min=0, metavar="DAYS", help="Keep what is younger.")] = 1.0,
    as_json: JSON = False,
) -> None:
    """Say what nothing refers to any more. What a decision, a release, a pointer or unfinished work names stays.

    What those were made from stays too. Nothing is removed without --remove.
    """
    found = clean_up(workspace().store, dry_run=dry_run, min_age_days=min_age)
    if as_json:
        print_json(found.document())
        return
    for one in found.unused:
        where = one.asset if one.partition == "all" else f"{one.asset} [{one.partition}]"
        console.print(f"{where} {one.digest[:12]}, {one.made_at}, {one.size_bytes / MEGABYTE:.1f} MB", markup=False)
    number = len(found.unused) + len(found.leftovers)
    said = "removed" if found.removed else "could be removed: safety-assets clean-up --remove"
    console.print(
        f"{found.kept} artefacts are kept. {number} of {found.size_bytes / MEGABYTE:.1f} MB {said}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
