"""What every command shares: the application, the two consoles, and errors in words."""

import functools
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from safety_assets.errors import GateRefused, SafetyAssetsError
from safety_assets.flows.smoke import smoke_project
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.store import Store
from safety_assets.worker import launch_here

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Fine-tune without losing the alignment.",
    pretty_exceptions_enable=False,
)
console, complaints = Console(), Console(stderr=True)

P = ParamSpec("P")
R = TypeVar("R")


def in_words(command: Callable[P, R]) -> Callable[P, R]:
    """Decorator: an error on purpose is printed as found, expected, do, and ends with exit code 1."""

    @functools.wraps(command)
    def careful(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SafetyAssetsError as error:
            complain(error)
            raise typer.Exit(1) from error

    return careful


def workspace(*, force: bool = False, smoke: bool = False) -> Workspace:
    """The project that is open, or its small copy for a smoke run, with work done in this process."""
    project = smoke_project(open_project()) if smoke else open_project()
    launch = functools.partial(launch_here, report=_report)
    return Workspace(project=project, store=Store(project.storage), launch=launch, force=force)


def _report(message: Mapping[str, object]) -> None:
    """A line per watch, share or end, and one in fifty steps."""
    step = message.get("step")
    if message.get("event") != "step" or (isinstance(step, int) and step % 50 == 0):
        complaints.print(", ".join(f"{key} {value}" for key, value in message.items()), style="dim", markup=False)


def complain(error: SafetyAssetsError) -> None:
    """Print found, expected, do."""
    if isinstance(error, GateRefused):
        complaints.print(f"[red]{error.step} was refused[/red]")
        for number, reason in enumerate(error.reasons, 1):
            complaints.print(f"  {number}. {escape(reason)}", soft_wrap=True)
    else:
        complaints.print(f"[red]found[/red]     {escape(error.found)}", soft_wrap=True)
    for label, text in (("expected", error.expected), ("do", error.do)):
        if text:
            complaints.print(f"[red]{label:9s}[/red] {escape(text)}", soft_wrap=True)
