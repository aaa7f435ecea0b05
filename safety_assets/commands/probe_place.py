"""Where the probes are that a command names."""

from pathlib import Path

import typer


def place_of(named: str) -> Path:
    """The file or folder of a probe set: a path, or the word standard for the suite of the package."""
    from safety_assets import suites
    from safety_assets.project import STANDARD

    place = suites.STANDARD if named == STANDARD else Path(named)
    if not place.exists():
        raise typer.BadParameter(f"{named} is no file, no folder and not the word {STANDARD}")
    return place
