"""`safety-assets`: the assets from a terminal, without Dagster. A command's module is imported when it is called."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from safety_assets.commands.consoles import print_error
from safety_assets.commands.menu import INTRODUCTION, MENU, Entry, teaching, worked

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
"""Threads that wait sleep, as in the training child: torch reads it when it is loaded, which is later."""


class Front(TyperGroup):
    """The commands of the menu. With `--json` every error is a JSON document too, wrong usage included."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {entry.name: _listed(entry) for entry in MENU if " " not in entry.name}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in self.commands:
            self.commands[args[0]] = _loaded(args[0])
        return super().resolve_command(ctx, args)

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, complete_var: str | None = None,
        standalone_mode: bool = True, windows_expand_args: bool = True, **extra: Any,
    ) -> Any:  # fmt: skip
        words = sys.argv[1:] if args is None else args
        told = standalone_mode and "--json" in words
        prog_name = prog_name or NAME
        try:
            code = super().main(
                args, prog_name, complete_var, standalone_mode and not told, windows_expand_args, **extra
            )
        except typer.TyperException as error:
            if not told:
                raise
            print_error(**_wrong_usage(error))
            sys.exit(error.exit_code)
        except Exception as error:  # a fault of ours: the traceback for people, words for the program that asked
            if not told:
                raise
            traceback.print_exc()
            print_error(found=f"{type(error).__name__}: {error}", expected="", do=REPORT, kind="InternalError")
            sys.exit(1)
        return sys.exit(code or 0) if told else code


NAME = "safety-assets"
REPORT = "report it with the traceback that stands on stderr"


def _wrong_usage(error: typer.TyperException) -> dict[str, str]:
    """Wrong usage as found, expected, do."""
    ctx = getattr(error, "ctx", None)
    usage = " ".join(ctx.get_usage().removeprefix("Usage: ").split()) if ctx else ""
    path = ctx.command_path if ctx else NAME
    return {"found": error.format_message(), "expected": usage, "do": f"see {path} --help", "kind": "UsageError"}


def _listed(entry: Entry) -> TyperCommand:
    """A stand-in that shows a command in the list without importing it."""
    return TyperCommand(entry.name, help=entry.summary, rich_help_panel=entry.panel)


def _loaded(name: str) -> Any:
    """The command itself, with its examples and exit codes below its options."""
    from safety_assets.commands.terminal import app as registered

    (entry,) = (entry for entry in MENU if entry.name == name)
    import_module(f"safety_assets.commands.{entry.module}")
    command = get_group(registered).commands[name]
    for below in MENU:
        first, _, second = below.name.partition(" ")
        if first == name and (not second or second in getattr(command, "commands", {})):
            taught = command.commands[second] if second else command  # type: ignore[attr-defined]
            taught.epilog = escape(teaching(below))
    return command


app = typer.Typer(
    name=NAME,
    cls=Front,
    help=INTRODUCTION,
    epilog=escape(worked()),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"{NAME} {version('safety_assets')}")
        raise typer.Exit


@app.callback()
def _front(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    app()
