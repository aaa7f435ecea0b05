"""Training: one checkpoint per recipe."""

from collections.abc import Iterator

import dagster as dg

from safety_assets.defs.guard import materialize
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import asset_arguments
from safety_assets.flows import training as flows

Materialized = Iterator[dg.MaterializeResult]


@dg.asset(**asset_arguments("finetuned_checkpoint"), kinds={"huggingface", "pytorch"})
def finetuned_checkpoint(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """The trained weights of one recipe, with everything that went into them."""
    yield from materialize(context, project, flows.finetuned_checkpoint)


ASSETS = [finetuned_checkpoint]
