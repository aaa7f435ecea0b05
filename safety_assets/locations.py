"""A project as a code location of its own: `definitions.py` in its folder calls `load_project`.

Every code location is a process of its own, so each may have its own project. Asset keys begin with the project's
`asset_prefix`, so that two projects in one workspace do not share a history.
"""

import os
from pathlib import Path

import dagster as dg

from safety_assets.errors import ProjectError
from safety_assets.project import PROJECT_VARIABLE


def load_project(file: str) -> dg.Definitions:
    """The definitions of the project in the folder of this file.

    Raises:
        ProjectError: this process has loaded another project already.
    """
    folder = Path(file).resolve().parent
    os.environ[PROJECT_VARIABLE] = str(folder)  # steps, sensors and the training child of this process read it

    from safety_assets.definitions import defs
    from safety_assets.defs.spec import PROJECT

    if PROJECT.folder != folder:
        raise ProjectError(
            f"this process has loaded {PROJECT.folder}, and {folder} was to be loaded too",
            expected="one project per process",
            do="load each as a code location of its own: safety-assets workspace FOLDER FOLDER",
        )
    return defs()
