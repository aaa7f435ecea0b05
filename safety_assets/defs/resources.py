"""The project as a Dagster resource: which folder, and the knobs of one run that may not change a result."""

import dagster as dg
from pydantic import Field

from safety_assets.defs.launcher import TrainingLauncher
from safety_assets.defs.told import LogLines
from safety_assets.errors import ProjectError
from safety_assets.flows.smoke import smoke_project
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.store import Store


class ProjectResource(dg.ConfigurableResource):
    """Opens the project for a step. Hyper-parameters stand in recipes only: none can be set here."""

    force: bool = Field(default=False, description="Do the work again although the same work was done before.")
    smoke: bool = Field(
        default=False,
        description="Do it all in a small copy of the project (50 rows, 20 steps, a few probes) with a store of its "
        "own, to see that the parts work together. Nothing of it can be approved or released.",
    )
    grace_seconds: float = Field(
        default=60.0,
        description="Seconds, more than 0, that a cancelled training may take to save its checkpoint before it is "
        "killed.",
    )

    def workspace(self, context: dg.AssetExecutionContext) -> Workspace:
        """The workspace of one step: training is launched in a child process that reports to this step."""
        if not self.grace_seconds > 0:
            found = f"resources.project.config.grace_seconds is {self.grace_seconds:g}"
            raise ProjectError(
                found, expected="seconds, more than 0", do="correct it in the launchpad and launch again"
            )
        project = smoke_project(open_project()) if self.smoke else open_project()
        return Workspace(
            project=project,
            store=Store(project.storage),
            run_id=context.run.run_id,
            launch=TrainingLauncher(context, grace_seconds=self.grace_seconds),
            report=LogLines(context.log.info),
            force=self.force,
        )

    def quiet_workspace(self) -> Workspace:
        """A workspace that reads inputs and launches nothing."""
        project = open_project()
        return Workspace(project=project, store=Store(project.storage), launch=_no_training)


def _no_training(order: dict) -> dict:
    raise RuntimeError(f"an observation launches no training, asked for {order.get('kind')}")
