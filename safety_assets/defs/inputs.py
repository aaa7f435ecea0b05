"""Inputs: what a user writes, observed by content digest, so that an edit shows as stale downstream."""

import warnings

import dagster as dg

from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import PROJECT, observed_arguments
from safety_assets.flows.inputs import observed_digest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)  # an external AssetSpec cannot observe itself in a job

    @dg.observable_source_asset(**observed_arguments("task_set"))
    def task_set(project: ProjectResource) -> dg.DataVersion:
        """Held-out tasks with a checkable answer."""
        return dg.DataVersion(observed_digest(project.quiet_workspace(), "task_set"))

    @dg.observable_source_asset(**observed_arguments("policy"))
    def policy(project: ProjectResource) -> dg.DataVersion:
        """The law: budgets, floors, actions, sign-offs."""
        return dg.DataVersion(observed_digest(project.quiet_workspace(), "policy"))

    @dg.observable_source_asset(**observed_arguments("recipe"))
    def recipe(project: ProjectResource) -> dg.DataVersionsByPartition:
        """Every recipe file: editing one makes the checkpoint of that recipe stale."""
        workspace = project.quiet_workspace()
        versions = {name: observed_digest(workspace, "recipe", name) for name in workspace.project.recipe_names()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            return dg.DataVersionsByPartition(versions)

    @dg.observable_source_asset(**observed_arguments("pretrained_model"))
    def pretrained_model(project: ProjectResource) -> dg.DataVersion:
        """The base's unaligned ancestor, where the project names one."""
        return dg.DataVersion(observed_digest(project.quiet_workspace(), "pretrained_model"))


ASSETS = [task_set, policy, recipe, *([pretrained_model] if PROJECT.settings.pretrained_model else [])]
