"""Evaluation: what a candidate says, how it scores, what it forgot."""

from collections.abc import Iterator

import dagster as dg

from safety_assets.defs.guard import materialize
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import asset_arguments
from safety_assets.flows import evaluation as flows

Materialized = Iterator[dg.MaterializeResult]


@dg.asset(**asset_arguments("candidate_responses"), kinds={"parquet", "pytorch"})
def candidate_responses(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """What the candidate says to the gate probes and the task set."""
    yield from materialize(context, project, flows.candidate_responses)


@dg.asset(**asset_arguments("eval_scores"), kinds={"parquet", "polars"})
def eval_scores(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """Scores per dimension, and deltas to the aligned model with paired intervals."""
    yield from materialize(context, project, flows.eval_scores)


@dg.asset(**asset_arguments("forgotten_behaviours"), kinds={"markdown", "polars"})
def forgotten_behaviours(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """What the aligned model did and the candidate no longer does, with examples and likely causes."""
    yield from materialize(context, project, flows.forgotten_behaviours)


@dg.asset(**asset_arguments("recipe_leaderboard"), kinds={"parquet", "polars"})
def recipe_leaderboard(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """All recipes scored so far: safety retained against task gained."""
    yield from materialize(context, project, flows.recipe_leaderboard)


ASSETS = [candidate_responses, eval_scores, forgotten_behaviours, recipe_leaderboard]
