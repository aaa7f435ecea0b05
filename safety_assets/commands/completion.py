"""What the shell offers for a name: assets of the graph, recipes of the open project. Nothing heavy is imported."""

from typing import Annotated

import typer

from safety_assets.errors import SafetyAssetsError, name_one


def asset_names(incomplete: str) -> list[tuple[str, str]]:
    """Assets that begin so, each with its group."""
    from safety_assets.flows.graph import GRAPH

    return [(name, node.group) for name, node in GRAPH.items() if name.startswith(incomplete)]


def recipe_names(incomplete: str) -> list[str]:
    """Recipes of the open project that begin so; none where there is no project to read."""
    from safety_assets.project import open_project

    try:
        return [name for name in open_project().recipe_names() if name.startswith(incomplete)]
    except SafetyAssetsError:
        return []


Asset = Annotated[str, typer.Argument(help="Name of the asset.", autocompletion=asset_names)]
Recipe = Annotated[str, typer.Argument(help="Name of the recipe.", autocompletion=recipe_names)]
RecipeOption = Annotated[
    str | None,
    typer.Option(help="Name of the recipe, for the assets that have one.", autocompletion=recipe_names),
]


def demand_asset(asset: str, recipe: str | None, *, observed: bool) -> None:
    """Wrong usage unless the asset can be made here and has a recipe exactly where it needs one.

    Args:
        observed: whether one that is read from a user's file, never made, will do.
    """
    from safety_assets.flows.graph import GRAPH

    names = [name for name, node in GRAPH.items() if observed or not node.observed]
    if asset not in names:
        raise typer.BadParameter(f"no asset {asset}; {name_one(asset, names)}; there are {', '.join(names)}")
    if GRAPH[asset].per_checkpoint:
        raise typer.BadParameter(f"{asset} is made by Dagster's job gate_external; at a terminal use `gate`")
    if GRAPH[asset].partitioned != (recipe is not None):
        raise typer.BadParameter(f"{asset} takes {'a' if GRAPH[asset].partitioned else 'no'} --recipe")
