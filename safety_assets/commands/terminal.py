"""What every command shares: where it registers, `--json`, the open project, and errors in words."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer
from rich.markup import escape

from safety_assets.commands.consoles import complaints, console, print_error, print_json
from safety_assets.errors import FileError, GateRefused, Interrupted, SafetyAssetsError
from safety_assets.exhaustion import exhaustion

if TYPE_CHECKING:
    from safety_assets.flows.workspace import Workspace

__all__ = ["JSON", "app", "complain", "complaints", "console", "in_words", "in_words_ending", "print_json", "workspace"]

app = typer.Typer()
"""Where commands register; `safety_assets.cli` shows those of `commands.menu`."""

JSON = Annotated[bool, typer.Option("--json", help="One JSON document on stdout and nothing else.")]

INTERRUPTED = 130

P = ParamSpec("P")
R = TypeVar("R")


def in_words(command: Callable[P, R]) -> Callable[P, R]:
    """Decorator: an error on purpose is printed as found, expected, do, and ends with exit code 1."""
    return in_words_ending(1)(command)


def in_words_ending(code: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: errors on purpose, refusals of the system, and the end of disk or memory are printed in words.

    The exit code is `code`, or 130 when somebody asked for a stop. A command whose parameter `as_json` is true
    prints the error as a JSON document on stdout instead.
    """

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(command)
        def careful(*args: P.args, **kwargs: P.kwargs) -> R:
            as_json = bool(kwargs.get("as_json"))
            try:
                return command(*args, **kwargs)
            except SafetyAssetsError as error:
                end(error, INTERRUPTED if isinstance(error, Interrupted) else code, as_json=as_json)
            except KeyboardInterrupt:
                end(INTERRUPTION, INTERRUPTED, as_json=as_json)
            except BrokenPipeError:
                raise  # whoever read stdout has enough
            except Exception as error:
                said = exhaustion(error) or (refusal(error) if isinstance(error, OSError) else None)
                if said is None:
                    raise
                end(said, code, as_json=as_json)

        return careful

    return decorate


INTERRUPTION = Interrupted(
    "interrupted", do="call the same command again: what was finished is kept, what was half done is done anew"
)


def refusal(error: OSError) -> FileError:
    """What the system refused, in words."""
    place = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    return FileError(
        f"{place}: {error.strerror}" if place else str(error),
        expected="a place that can be read and written",
        do="look at its rights and at the room on its disk, or name another place",
    )


def end(error: SafetyAssetsError, code: int, *, as_json: bool) -> NoReturn:
    """Print an error and leave with an exit code."""
    if as_json:
        print_error(**error.told())
    else:
        complain(error)
    raise typer.Exit(code) from error


def workspace(
    *, force: bool = False, smoke: bool = False, report: Callable[[Mapping[str, object]], None] = lambda message: None
) -> "Workspace":
    """The project that is open, or its small copy for a smoke run, with work done in this process.

    Args:
        force: do the work again although it was done before.
        smoke: open the small copy.
        report: takes what training and flows say on the way (commands.progress).
    """
    from safety_assets.flows.workspace import Workspace
    from safety_assets.project import open_project
    from safety_assets.store import Store

    project = open_project()
    if smoke:
        from safety_assets.flows.smoke import smoke_project

        project = smoke_project(project)

    def launch(order: dict) -> dict:
        from safety_assets.worker import launch_here

        return launch_here(order, report=report)

    return Workspace(project=project, store=Store(project.storage), launch=launch, report=report, force=force)


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
