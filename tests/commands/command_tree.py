"""The commands as they are called: every leaf of the tree behind `safety-assets`."""

from typing import Any

from typer.main import get_command

from safety_assets.cli import app


def leaves() -> dict[str, Any]:
    """Name as typed to the command itself."""
    front: Any = get_command(app)
    found: dict[str, Any] = {}
    for name in front.list_commands(None):
        _, command, _ = front.resolve_command(front.context_class(front), [name])
        below = getattr(command, "commands", {})
        found |= {f"{name} {inner}": below[inner] for inner in below} if below else {name: command}
    return found


def options(command: Any) -> set[str]:
    """Its options as typed."""
    words = (word for param in command.params for word in (*param.opts, *param.secondary_opts))
    return {word for word in words if word.startswith("-")}
