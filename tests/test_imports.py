"""Loading the code location stays light: neither torch nor transformers nor datasets is imported."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "datasets", "accelerate", "peft")


@pytest.mark.parametrize("module", ["safety_assets.definitions", "safety_assets.cli", "safety_assets.worker"])
def test_loads_without_heavy_packages(module: str) -> None:
    program = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_command_line_knows_no_dagster() -> None:
    program = "import sys, safety_assets.cli; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
