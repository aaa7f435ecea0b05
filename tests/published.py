"""Published data and models, which are no part of the project: found by environment variables."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def data() -> Path:
    """The folder of published data."""
    return _place("SAFETY_ASSETS_REAL_DATA", "../shared/data")


def models() -> Path:
    """The folder of published models."""
    return _place("SAFETY_ASSETS_REAL_MODELS", "../shared/models")


def _place(variable: str, default: str) -> Path:
    """A folder that may be absent on a user's machine, and must be there in CI."""
    folder = Path(os.environ.get(variable, ROOT / default))
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{folder} is missing; set {variable}")
        pytest.skip(f"{folder} is missing; set {variable}")
    return folder
