"""`new recipe`: another way of fine-tuning, every key explained."""

from pathlib import Path
from typing import Annotated

import typer

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json
from safety_assets.commented import commented
from safety_assets.errors import ProjectError
from safety_assets.project import Project, open_project
from safety_assets.recipes import RECIPE_NAME, Recipe, is_recipe_name
from safety_assets.schemas import schema_path
from safety_assets.starter.project import write_new

new = typer.Typer(no_args_is_help=True, help="Add a file to the project.")
app.add_typer(new, name="new")


@new.callback()
def _group() -> None:
    """Add a file to the project."""


@new.command()
@in_words
def recipe(
    name: Annotated[str, typer.Argument(help="Its name, and its partition in Dagster.")],
    like: Annotated[str | None, typer.Option(help="Recipe whose values it begins with.")] = None,
    as_json: JSON = False,
) -> None:
    """Write a recipe with every key explained: meaning, domain, default."""
    project = open_project()
    if not is_recipe_name(name):
        raise ProjectError(f"{name!r:.70} is no recipe name", expected=RECIPE_NAME, do="rename")
    path = project.path(project.settings.recipes) / f"{name}.yaml"
    first = like or _first(project)
    write_new(path, recipe_text(project, path, first))
    made = project.recipe(name)
    commands = [f"safety-assets plan {name}", f"safety-assets run {name} --smoke", f"safety-assets run {name}"]
    if as_json:
        facts = {"recipe": name, "like": first, "values": made.model_dump(mode="json")}
        print_json({"files": [str(path)], "facts": facts, "next": commands})
        return
    for line in (f"{path}", "", "Next:", *(f"  {command}" for command in commands)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def recipe_text(project: Project, path: Path, like: str) -> str:
    """The text of a recipe that begins with another one's values."""
    values = project.recipe(like).model_dump(mode="json", exclude_unset=True, exclude={"name"})
    title = f"Begun as a copy of {like}. A key with # before it holds its default."
    return commented(Recipe, values, title=title, schema=schema_path(project.folder, "recipe", path))


def _first(project: Project) -> str:
    """The recipe that a new one begins with when none is named: plain where there is one."""
    names = list(project.recipe_files())
    return "plain" if "plain" in names else names[0]
