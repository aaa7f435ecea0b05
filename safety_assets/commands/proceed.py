"""`proceed`: a person lets a paused training go on."""

from typing import Annotated

import typer

from safety_assets.commands.completion import Recipe
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace


@app.command()
@in_words
def proceed(
    recipe: Recipe,
    by: Annotated[str, typer.Option(help="Who lets it go on; it stands in the checkpoint.")],
    why: Annotated[str, typer.Option(help="Why, in a sentence; it stands in the checkpoint.")],
    as_json: JSON = False,
) -> None:
    """Let a training go on that its monitor paused: name and reason go into the checkpoint's facts."""
    from safety_assets.flows.pauses import let_go_on

    pause = let_go_on(workspace(), recipe, by=by, why=why)
    follow = f"safety-assets materialize finetuned_checkpoint --recipe {recipe}"
    if as_json:
        print_json({
            "recipe": recipe, "step": pause.step, "fallen": pause.fallen, "by": pause.by, "why": pause.why,
            "next": follow,
        })  # fmt: skip
        return
    seen = ", ".join(f"{name} {value:.2f}" for name, value in sorted(pause.fallen.items()))
    console.print(f"{recipe} may go on after step {pause.step}, with {seen}.", soft_wrap=True, markup=False)
    console.print(f"Next: {follow}", soft_wrap=True, markup=False, highlight=False)
