"""`workspace`: several projects side by side in one Dagster, each a code location of its own."""

import os
from pathlib import Path
from typing import Annotated

import typer
import yaml

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json
from safety_assets.errors import ProjectError
from safety_assets.project import STORAGE_VARIABLE, Project, open_project
from safety_assets.starter.places import DEFINITIONS
from safety_assets.starter.project import write_new

HEAD = "# One code location per project. `dagster dev -w {name}` shows them side by side.\n"


@app.command("workspace")
@in_words
def write_workspace(
    folders: Annotated[list[Path], typer.Argument(help="Folders of projects.")],
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("workspace.yaml"),
    as_json: JSON = False,
) -> None:
    """Write a workspace.yaml with one code location per project, and definitions.py where a project has none."""
    projects = [open_project(folder) for folder in folders]
    demand_apart(projects)
    write_new(output, HEAD.format(name=output.name) + workspace_text(projects, output))
    for project in projects:
        if not (project.folder / "definitions.py").exists():
            write_new(project.folder / "definitions.py", DEFINITIONS)
    if as_json:
        places = [{"name": project.settings.name, "folder": str(project.folder)} for project in projects]
        print_json({"file": str(output.resolve()), "projects": places})
    else:
        console.print(f"{output}: {', '.join(p.settings.name for p in projects)}", soft_wrap=True, markup=False)


def workspace_text(projects: list[Project], output: Path) -> str:
    """The YAML of a workspace; paths are relative to its folder."""
    here = output.resolve().parent
    places = [Path(os.path.relpath(p.folder / "definitions.py", here)).as_posix() for p in projects]
    entries = [
        {"python_file": {"relative_path": place, "attribute": "defs", "location_name": project.settings.name}}
        for place, project in zip(places, projects, strict=True)
    ]
    return yaml.safe_dump({"load_from": entries}, sort_keys=False)


def demand_apart(projects: list[Project]) -> None:
    """Projects of one workspace differ in name, asset prefix and storage; ProjectError names two that do not."""
    if len(projects) > 1 and os.environ.get(STORAGE_VARIABLE):
        raise ProjectError(
            f"{STORAGE_VARIABLE} is set and gives all projects one storage",
            do="unset it; project.yaml names the storage",
        )
    for key in ("name", "asset_prefix", "storage"):
        seen: dict[str, Project] = {}
        for project in projects:
            value = str(project.storage) if key == "storage" else getattr(project.settings, key)
            other = seen.setdefault(value, project)
            if other is not project:
                raise ProjectError(
                    f"{other.folder / 'project.yaml'} and {project.folder / 'project.yaml'} both have {key}: {value!r}",
                    expected="each its own, since they would share history or artefacts",
                    do=f"change {key} in one of them",
                )
