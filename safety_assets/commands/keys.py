"""`keys new`, `keys show`: the private key of a person, outside the project, and the public one for the policy."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json
from safety_assets.errors import FileError, ProjectError
from safety_assets.project import Project, open_project

KEY_VARIABLE = "SAFETY_ASSETS_SIGNING_KEY"
Key = Annotated[
    Path | None,
    typer.Option(dir_okay=False, envvar=KEY_VARIABLE, help="File of the private key, outside the project."),
]

keys = typer.Typer(no_args_is_help=True, help="Your signing key.")
app.add_typer(keys, name="keys")


@keys.callback()
def _group() -> None:
    """Your signing key."""


@keys.command()
@in_words
def new(
    key: Key = None,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Ask for a passphrase that locks it.")] = False,
    as_json: JSON = False,
) -> None:
    """Make a private key (mode 0600) and print the public one, which the policy's owner adds under people."""
    from safety_assets.flows.signing import demand_outside
    from safety_assets.release.keys import new_key

    project, path = open_project(), key or default_key()
    demand_outside(project, path)
    secret = _asked(path, confirm=True) if passphrase else None
    _show(project, path, new_key(path, secret), as_json)


@keys.command()
@in_words
def show(key: Key = None, as_json: JSON = False) -> None:
    """Print the public key, and whom the policy names for it."""
    from safety_assets.release.keys import public_of

    project = open_project()
    _show(project, key or default_key(), public_of(opened(project, key)), as_json)


def default_key() -> Path:
    """Where a key lies unless it is named."""
    return Path(typer.get_app_dir("safety-assets")) / "signing.pem"


def opened(project: Project, key: Path | None) -> Ed25519PrivateKey:
    """The private key, its passphrase asked for where it has one."""
    from safety_assets.flows.signing import demand_outside
    from safety_assets.release.keys import is_locked, open_key

    path = key or default_key()
    demand_outside(project, path)
    return open_key(path, _asked(path, confirm=False) if is_locked(path) else None)


def _asked(path: Path, *, confirm: bool) -> bytes:
    if not sys.stdin.isatty():
        raise FileError(
            f"{path} needs a passphrase", expected="a terminal to ask for it on", do="call it on a terminal"
        )
    said = typer.prompt(f"Passphrase of {path}", hide_input=True, confirmation_prompt=confirm, err=True)
    return str(said).encode()


def _show(project: Project, path: Path, public: str, as_json: bool) -> None:
    from safety_assets.flows.signing import holder

    try:
        name, person = holder(project.policy(), public)
        who = {"name": name, "roles": list(person.roles)}
    except ProjectError:
        who = None
    if as_json:
        print_json({"file": str(path), "public": public, "person": who})
        return
    console.print(f"Private key: {path}", markup=False, soft_wrap=True, highlight=False)
    line = f"{who['name']}, {' and '.join(who['roles'])}" if who else "nobody; to be added to policy.yaml:"
    console.print(f"The policy names for it: {line}", markup=False, soft_wrap=True, highlight=False)
    if who is None:
        entry = f"people:\n  NAME: {{roles: [ROLE], key: '{public}'}}"
        console.print(entry, markup=False, soft_wrap=True, highlight=False)
