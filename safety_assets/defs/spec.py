"""What Dagster is told of an asset, read from the graph and the checks: no second list to keep in step."""

import warnings
from datetime import timedelta
from typing import Any

import dagster as dg

from safety_assets.defs.definition_metadata import definition_metadata
from safety_assets.defs.owners import owner, tags
from safety_assets.flows.checks import CHECKS
from safety_assets.flows.code_version import code_version
from safety_assets.flows.graph import GRAPH
from safety_assets.project import open_project

PROJECT = open_project()
"""The project of this code location. Files are read again in every step; only recipe names are fixed here."""

RECIPES = dg.StaticPartitionsDefinition(PROJECT.recipe_names())
"""One partition per recipe file and per repaired candidate of it."""

CHECKPOINTS = dg.DynamicPartitionsDefinition(
    name="_".join(filter(None, (PROJECT.settings.asset_prefix, "external_checkpoint")))
)
"""One partition per folder of the project's external checkpoints."""

GPU = "gpu"
"""The pool of every asset that runs a model: as many at once as there are devices."""

FRESH = {"corpus_audit": 30, "safety_baseline": 30, "eval_scores": 30}
"""Days after which what was measured counts as overdue; a week before it is a warning."""


def asset_key(name: str) -> dg.AssetKey:
    """The key of an asset: its name, after the project's prefix where it has one."""
    prefix = PROJECT.settings.asset_prefix
    return dg.AssetKey([prefix, name] if prefix else [name])


def asset_arguments(name: str) -> dict[str, Any]:
    """The keyword arguments of `dg.asset` for one asset of the graph."""
    node = GRAPH[name]
    return {
        "key": asset_key(name),
        "group_name": node.group,
        "deps": [asset_key(upstream) for upstream in dependencies(name)],
        "owners": [owner(name)],
        "tags": tags(name),
        "metadata": definition_metadata(name),
        "code_version": code_version(name),
        "check_specs": check_specs(name),
        "partitions_def": partitions(name),
        "pool": GPU if runs_a_model(name) else None,
        "automation_condition": automation(name),
        "freshness_policy": freshness(name),
    }


def runs_a_model(name: str) -> bool:
    """Whether making an asset loads weights to train or to answer."""
    return "models" in GRAPH[name].code


def automation(name: str) -> dg.AutomationCondition | None:
    """What is cheap follows what it is made from, once every blocking check of that passes. A release never does.

    The condition looks one level up; what stands further up is the gates' affair.
    """
    node = GRAPH[name]
    if runs_a_model(name) or name == "released_model" or not node.inputs + node.also:
        return None
    return dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()


def freshness(name: str) -> dg.FreshnessPolicy | None:
    """When an asset that is measured anew every week counts as overdue."""
    if name not in FRESH:
        return None
    days = FRESH[name]
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=days), warn_window=timedelta(days=days - 7))


def partitions(name: str) -> dg.PartitionsDefinition | None:
    """What an asset has one artefact for: each recipe, each external checkpoint, or neither."""
    node = GRAPH[name]
    return RECIPES if node.partitioned else CHECKPOINTS if node.per_checkpoint else None


def dependencies(name: str) -> list[str]:
    """The upstream assets of one asset, the pretrained model only when the project has one."""
    node = GRAPH[name]
    lacking = {"pretrained_model"} if PROJECT.settings.pretrained_model is None else set()
    return [upstream for upstream in node.inputs + node.also if upstream not in lacking]


def check_specs(name: str) -> list[dg.AssetCheckSpec]:
    """The inline checks of an asset; per partition where the asset has partitions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitioned checks: without them the last recipe wins
        return [
            dg.AssetCheckSpec(
                check.name,
                asset=asset_key(name),
                description=check.says,
                blocking=check.blocking,
                partitions_def=partitions(name),
            )
            for check in CHECKS.get(name, ())
        ]


def observed_arguments(name: str) -> dict[str, Any]:
    """The keyword arguments of `dg.observable_source_asset` for one observed input."""
    node = GRAPH[name]
    return {
        "key": asset_key(name),
        "group_name": node.group,
        "tags": tags(name),
        "partitions_def": partitions(name),
    }
