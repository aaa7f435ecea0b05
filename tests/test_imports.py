"""Loading the code location stays light: neither torch nor transformers nor datasets is imported."""

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "datasets", "accelerate", "peft")


@pytest.mark.parametrize(
    ("module", "kept_out", "given", "waiting"),
    [
        ("safety_assets.definitions", HEAVY, None, "PASSIVE"),
        ("safety_assets.definitions", HEAVY, "ACTIVE", "ACTIVE"),
        ("safety_assets.cli", (*HEAVY, "dagster"), None, "PASSIVE"),
        ("safety_assets.cli", (*HEAVY, "dagster"), "ACTIVE", "ACTIVE"),
        ("safety_assets.worker", HEAVY, None, None),
        ("safety_assets.flows.finished", (*HEAVY, "dagster", "scipy", "urllib3", "cryptography"), None, None),
    ],
)
def test_it_loads_light_and_threads_that_wait_sleep_unless_somebody_says_otherwise(
    module: str, kept_out: tuple[str, ...], given: str | None, waiting: str | None
) -> None:
    program = f"""
import os, sys, {module}
print([name for name in {kept_out!r} if name in sys.modules], os.environ.get("OMP_WAIT_POLICY"))
"""
    bare = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    said = bare if given is None else {**bare, "OMP_WAIT_POLICY": given}
    done = subprocess.run([sys.executable, "-c", program], env=said, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"[] {waiting}"


def test_help_reads_the_menu_and_no_command() -> None:
    program = f"""
import atexit, sys
def tell():
    ours = {{name.removeprefix("safety_assets.") for name in sys.modules if name.startswith("safety_assets.")}}
    print([n for n in {(*HEAVY, "dagster", "polars", "scipy")!r} if n in sys.modules], sorted(ours), file=sys.stderr)
atexit.register(tell)
from safety_assets.cli import app
app(["--help"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "materialize" in done.stdout
    assert done.stderr.strip() == "[] ['cli', 'commands', 'commands.consoles', 'commands.menu']"


@pytest.mark.parametrize("command", ["materialize", "run", "plan", "explain", "score"])
def test_the_help_of_commands_that_are_called_often_is_light(command: str) -> None:
    program = f"""
import atexit, sys
atexit.register(lambda: print([n for n in {(*HEAVY, "dagster", "polars", "scipy")!r} if n in sys.modules]))
from safety_assets.cli import app
app([{command!r}, "--help"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Examples:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
