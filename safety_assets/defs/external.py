"""External: checkpoints that were trained elsewhere, each a partition with its own verdict and its own check."""

from collections.abc import Iterator

import dagster as dg

from safety_assets.defs.guard import materialize
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import asset_arguments
from safety_assets.flows import external as flows

Materialized = Iterator[dg.MaterializeResult]


@dg.asset(**asset_arguments("external_verdict"), kinds={"json", "markdown"})
def external_verdict(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """May this checkpoint from elsewhere be released? Approved, rejected or not certified, with every reason."""
    yield from materialize(context, project, flows.external_verdict)


ASSETS = [external_verdict]
