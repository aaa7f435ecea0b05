"""`import`: runs of another harness taken in, so that the policy can gate them."""

from pathlib import Path
from typing import Annotated

import typer

from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json, workspace
from safety_assets.flows.asking import target
from safety_assets.flows.further import take_in, told


@app.command(name="import")
@in_words
def import_command(
    results: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="What lm_eval --output_path wrote.")],
    model: Annotated[str, typer.Option(help="The model that was run: folder, or hub id at a commit.")],
    as_json: JSON = False,
) -> None:
    """Take in a run of lm-evaluation-harness with its samples, for `further` in the policy.

    It is kept under the weights of --model. A decision compares it, item by item, with the run of the base.
    """
    ws = workspace()
    said = told(take_in(ws, results, target(ws, model).model))
    if as_json:
        print_json(said)
        return
    for task, number in said["tasks"].items():
        console.print(f"{task}: {number:,} items", soft_wrap=True)
    if not said["same_files"]:
        complaints.print(
            f"the run calls its model {said['named']!r}; that it is {model} is your word", style="dim", soft_wrap=True
        )
