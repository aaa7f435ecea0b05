"""Release: the decision, the card, the pointer that serving reads."""

from collections.abc import Iterator

import dagster as dg

from safety_assets.defs.guard import materialize
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import asset_arguments
from safety_assets.flows import release as flows

Materialized = Iterator[dg.MaterializeResult]


@dg.asset(**asset_arguments("release_decision"), kinds={"json", "markdown"})
def release_decision(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """Approved, rejected or not certified, with every reason in words."""
    yield from materialize(context, project, flows.release_decision)


@dg.asset(**asset_arguments("model_card"), kinds={"markdown"})
def model_card(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """A card about these weights."""
    yield from materialize(context, project, flows.model_card)


@dg.asset(**asset_arguments("released_model"), kinds={"json"})
def released_model(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """One promotion: the pointer that serving reads moves to these weights."""
    yield from materialize(context, project, flows.released_model)


ASSETS = [release_decision, model_card, released_model]
