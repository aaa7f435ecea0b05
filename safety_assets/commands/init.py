"""`init`: a project of one's own, asked for on a terminal, every answer checked at once."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar, get_args

import typer
from rich.prompt import Prompt

from safety_assets.commands.terminal import app, complain, complaints, console, in_words
from safety_assets.errors import SafetyAssetsError
from safety_assets.starter.law import Risk
from safety_assets.starter.named import ModelFacts, corpus_rows, model_facts, task_items
from safety_assets.starter.project import Wish, write_project
from safety_assets.starter.recipes import Size

Found = TypeVar("Found")

QUESTIONS = {
    "base-model": "Folder of the aligned model",
    "corpus": "Corpus: file or folder",
    "task-set": "Tasks with a checkable answer: file",
    "risk": "What would a mistake cost (high, moderate, research)",
}


@app.command()
@in_words
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new project.")],
    base_model: Annotated[str | None, typer.Option(help="Folder of the aligned model.")] = None,
    corpus: Annotated[list[str] | None, typer.Option(help="Corpus file or folder; may be given again.")] = None,
    task_set: Annotated[str | None, typer.Option(help="File of tasks with a checkable answer.")] = None,
    risk: Annotated[str | None, typer.Option(help="high, moderate or research: what a mistake would cost.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the project; the folder's by default.")] = None,
) -> None:
    """Write a new project. On a terminal it asks for what no option names; nothing is overwritten."""
    given = {"base-model": base_model, "corpus": corpus, "task-set": task_set, "risk": risk}
    if not on_a_terminal():
        _demand(given)
    model, facts = answer("base-model", base_model, lambda said: model_facts(Path(said)))
    paths, rows = answer("corpus", corpus, lambda said: _readable([said] if isinstance(said, str) else said))
    tasks, items = answer("task-set", task_set, lambda said: task_items(Path(said)))
    law, _ = answer("risk", risk, _risk)
    wish = Wish(
        folder=folder, name=name or _name(folder), base_model=model, task_set=tasks, risk=law,
        corpus=[paths] if isinstance(paths, str) else paths,
    )  # fmt: skip
    write_project(wish, Size(parameters=facts.parameters, context=facts.context, rows=rows))
    _say_done(wish, facts, rows, items)


def on_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _demand(given: dict) -> None:
    """Without a terminal nobody can be asked: what is missing is named, as wrong usage."""
    missing = [f"--{option}" for option, value in given.items() if not value]
    if missing:
        raise typer.BadParameter(f"no terminal to ask on; give {', '.join(missing)}")


def answer(option: str, given: object, check: Callable[..., Found]) -> tuple:
    """What was named and what the check found in it; on a terminal a wrong answer is asked for again."""
    while True:
        said = given or Prompt.ask(QUESTIONS[option], console=complaints)
        try:
            return said, check(said)
        except SafetyAssetsError as error:
            if not on_a_terminal():
                raise
            complain(error)
            given = None


def _readable(paths: list[str]) -> int:
    rows, unreadable = corpus_rows([Path(path) for path in paths])
    if unreadable:
        said = f"{unreadable} of {rows + unreadable} lines cannot be read; raw_corpus will name them."
        complaints.print(f"[yellow]warning[/yellow]   {said}", soft_wrap=True)
    return rows


def _risk(said: str) -> None:
    if said not in get_args(Risk):
        raise SafetyAssetsError(f"risk {said!r:.40}", expected="high, moderate or research", do="name one of them")


def _name(folder: Path) -> str:
    """The folder's name as a project's name may be written."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")
    return plain[:63] or "project"


def _say_done(wish: Wish, facts: ModelFacts, rows: int, items: int) -> None:
    console.print(f"{wish.folder}: {facts.parameters:,} parameters, {rows:,} rows, {items:,} tasks.", soft_wrap=True)
    for line in (
        "",
        "Next:",
        f"  write refusal pairs as {wish.folder / 'refusals' / 'README.md'} shows",
        f"  export SAFETY_ASSETS_PROJECT={wish.folder.resolve()}",
        "  safety-assets doctor",
        f"  dagster dev -f {wish.folder / 'definitions.py'}",
    ):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
