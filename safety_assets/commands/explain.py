"""`explain`: why one asset is red, missing or stale, every reason, and what to type next."""

from typing import TYPE_CHECKING

import typer

from safety_assets.commands.completion import Asset, RecipeOption, demand_asset
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace

if TYPE_CHECKING:
    from safety_assets.flows.standing import Explanation


@app.command()
@in_words
def explain(asset: Asset, recipe: RecipeOption = None, as_json: JSON = False) -> None:
    """Why an asset is red, missing or stale, every reason, and the next command to type.

    An asset is only warned where a check is red that blocks nothing.
    """
    demand_asset(asset, recipe, observed=False)
    from safety_assets.flows.inputs import name_of
    from safety_assets.flows.standing import FINE
    from safety_assets.flows.standing import explain as explained
    from safety_assets.store import WHOLE

    ws = workspace()
    if recipe is not None:
        ws.project.recipe(recipe)
    found = explained(ws, asset, recipe or WHOLE)
    if as_json:
        about = {"asset": asset, "recipe": recipe, "state": found.state, "reasons": list(found.reasons)}
        print_json({**about, "mend": found.mend, "next": found.command})
    else:
        _show(name_of(asset, recipe or WHOLE), found)
    if found.state not in FINE:
        raise typer.Exit(1)


def _show(name: str, found: "Explanation") -> None:
    console.print(f"{name} is {found.state}.", soft_wrap=True, markup=False)
    for number, reason in enumerate(found.reasons, 1):
        console.print(f"  {number}. {reason}", soft_wrap=True, markup=False, highlight=False)
    for label, text in (("First mend", found.mend), ("Next", found.command)):
        if text:
            console.print(f"{label}: {text}", soft_wrap=True, markup=False, highlight=False)
